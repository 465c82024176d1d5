//! A question, and the last answer to one like it.

use crate::protocol::Revision;
use crate::protocol::problem::Problem;

/// What is known, and what is on its way. `Q` says everything that the answer depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked<Q, A> {
    /// Perhaps of an earlier question.
    known: Option<(Q, A)>,
    job: Option<(Revision, Q)>,
    /// The same question is not asked again by itself.
    failed: Option<(Problem, Q)>,
}

impl<Q, A> Default for Asked<Q, A> {
    fn default() -> Self {
        Self { known: None, job: None, failed: None }
    }
}

/// What is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Step {
    /// Nobody waits for it any more.
    pub cancel: Option<Revision>,
    /// The question is to be asked, and [`Asked::ask`] told its number.
    pub ask: bool,
}

impl<Q: PartialEq, A> Asked<Q, A> {
    /// Makes sure that the answer to the question is there or on its way; `None`: to no question.
    pub fn want(&mut self, question: Option<&Q>) -> Step {
        if question.is_some() && self.job.as_ref().map(|job| &job.1) == question {
            return Step::default();
        }
        let cancel = self.job.take().map(|job| job.0);
        let is_answered = |question: &Q| {
            self.known.as_ref().is_some_and(|known| known.0 == *question)
                || self.failed.as_ref().is_some_and(|failed| failed.1 == *question)
        };
        Step { cancel, ask: question.is_some_and(|question| !is_answered(question)) }
    }

    /// The question is asked under that number.
    pub fn ask(&mut self, revision: Revision, question: Q) {
        self.job = Some((revision, question));
        self.failed = None;
    }

    /// Takes the answer of that number; whether it was waited for.
    pub fn answer(&mut self, revision: Revision, answer: A) -> Option<&Q> {
        let (_, question) = self.job.take_if(|job| job.0 == revision)?;
        self.known = Some((question, answer));
        self.known.as_ref().map(|known| &known.0)
    }

    /// The question of that number, which will have no answer: it failed, or was given up.
    pub fn drop_job(&mut self, revision: Revision) -> Option<Q> {
        self.job.take_if(|job| job.0 == revision).map(|job| job.1)
    }

    /// It failed.
    pub fn fail(&mut self, question: Q, problem: Problem) {
        self.failed = Some((problem, question));
    }

    /// What failed may be asked again.
    pub fn try_again(&mut self) {
        self.failed = None;
    }

    /// The answer, whatever the question was.
    pub fn last(&self) -> Option<&(Q, A)> {
        self.known.as_ref()
    }

    /// Why there is no answer.
    pub fn problem(&self) -> Option<&Problem> {
        self.failed.as_ref().map(|failed| &failed.0)
    }

    /// What was asked is lost with the one who was asked.
    pub fn forget_job(&mut self) {
        self.job = None;
    }

    /// Forgets what is known; what is on its way is cancelled by the next `want`.
    pub fn forget(&mut self) {
        self.known = None;
        self.failed = None;
    }

    /// Changes what the known answer is an answer to.
    pub fn rename(&mut self, change: impl FnOnce(&mut Q)) {
        if let Some(known) = &mut self.known {
            change(&mut known.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, Step};
    use crate::protocol::problem::Problem;

    #[test]
    fn a_question_is_asked_once_and_given_up_when_nobody_waits() {
        let mut asked: Asked<&str, u8> = Asked::default();
        assert_eq!(asked.want(None), Step::default());
        assert_eq!(asked.want(Some(&"a")), Step { cancel: None, ask: true });
        asked.ask(1, "a");
        assert_eq!(asked.want(Some(&"a")), Step::default());
        assert_eq!(asked.want(Some(&"b")), Step { cancel: Some(1), ask: true });
        asked.ask(2, "b");
        assert_eq!(asked.answer(1, 10), None, "too late");
        assert_eq!(asked.answer(2, 20), Some(&"b"));
        assert_eq!(asked.last(), Some(&("b", 20)));
        assert_eq!(asked.want(Some(&"b")), Step::default());
        assert_eq!(asked.want(Some(&"a")), Step { cancel: None, ask: true });
        asked.ask(3, "a");
        let question = asked.drop_job(3).expect("waited for");
        asked.fail(question, Problem::NoModel);
        assert_eq!(asked.want(Some(&"a")), Step::default(), "not again by itself");
        assert_eq!(asked.problem(), Some(&Problem::NoModel));
        assert_eq!(asked.last(), Some(&("b", 20)));
        asked.try_again();
        assert!(asked.want(Some(&"a")).ask && !asked.want(Some(&"b")).ask);
        asked.forget();
        assert!(asked.want(Some(&"b")).ask);
    }
}
