//! What the columns of a table are: found, and the visitor's to say otherwise.

use leptos::prelude::*;

use crate::catalogue::geometry::GeometryText as Text;
use crate::state::action::Action;
use crate::state::geometry::GeometryAction as Do;
use crate::text::columns::Roles;
use crate::text::corpus::Table;
use crate::ui::page::{Page, page};

/// A small menu for each role, where the text is a table of two columns or more.
#[component]
pub fn Columns() -> impl IntoView {
    let page = page();
    let table = page.part(|state| state.geometry.corpus.table.clone());
    move || {
        table.get().map(|table| {
            let pairs = table.roles.partner.is_some();
            let menus = [
                Some(Role::Sentence),
                Some(Role::Partner),
                pairs.then_some(Role::Score),
                Some(Role::Topic),
            ];
            let menus = menus.into_iter().flatten().map(|role| menu(page, &table, role));
            view! {
                <div class="geometry-choices" role="group" aria-label=page.words(Text::ColumnsLabel)>
                    {menus.collect_view()}
                </div>
            }
        })
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Role {
    Sentence,
    Partner,
    Score,
    Topic,
}

impl Role {
    fn name(self) -> Text {
        match self {
            Self::Sentence => Text::ColumnSentence,
            Self::Partner => Text::ColumnPartner,
            Self::Score => Text::ColumnScore,
            Self::Topic => Text::ColumnTopic,
        }
    }

    fn of(self, roles: Roles) -> Option<usize> {
        match self {
            Self::Sentence => Some(roles.sentence),
            Self::Partner => roles.partner,
            Self::Score => roles.score,
            Self::Topic => roles.topic,
        }
    }

    /// The roles with this one given to another column. What that column was before it is no more.
    fn given(self, roles: Roles, column: Option<usize>) -> Roles {
        let free = |role: Option<usize>| role.filter(|other| Some(*other) != column);
        let mut given = Roles {
            sentence: roles.sentence,
            partner: free(roles.partner),
            score: free(roles.score),
            topic: free(roles.topic),
        };
        match (self, column) {
            (Self::Sentence, Some(column)) => given.sentence = column,
            (Self::Sentence, None) => {}
            (Self::Partner, column) => given.partner = column,
            (Self::Score, column) => given.score = column,
            (Self::Topic, column) => given.topic = column,
        }
        given.score = given.score.filter(|_| given.partner.is_some());
        given
    }
}

fn menu(page: Page, table: &Table, role: Role) -> impl IntoView + use<> {
    let roles = table.roles;
    let chosen = move |event| {
        let column = event_target_value(&event).parse().ok();
        let roles = role.given(roles, column);
        page.dispatch(Action::Geometry(Do::RolesChosen(Some(roles))));
    };
    let none = (role != Role::Sentence).then(|| {
        view! { <option value="" selected=role.of(roles).is_none()>{page.words(Text::ColumnNone)}</option> }
    });
    // A sentence cannot be its own topic; for another, choose another sentence first.
    let offered = table
        .names
        .iter()
        .enumerate()
        .filter(|(column, _)| role == Role::Sentence || *column != roles.sentence);
    let options = offered.map(|(column, name)| {
        let number = (column + 1).to_string();
        let name = page.filled(Text::ColumnName, &[("n", &number), ("name", name)]);
        view! {
            <option value=column.to_string() selected=role.of(roles) == Some(column)>{name}</option>
        }
    });
    view! {
        <label class="choice">
            <span>{page.words(role.name())}</span>
            <select on:change=chosen>{none} {options.collect_view()}</select>
        </label>
    }
}
