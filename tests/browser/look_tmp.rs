use crate::check::Check;
use crate::journey::journey;
use std::path::Path;
#[test]
#[ignore]
fn shots() -> Check {
    journey(|browser, site| {
        for (name, w, h, dark) in
            [("light", 1440, 1000, false), ("dark", 1440, 1000, true), ("phone", 390, 844, false)]
        {
            let page = browser.blank()?;
            page.viewport(w, h)?;
            page.prefer(dark, true)?;
            page.go(&site.url("/#/search"))?;
            page.wait_for_text(".search-standing", "passages are embedded", 90)?;
            page.wait_for_element(".search-hit", 20)?;
            page.wait_for_element(".search-text .glow-3", 20)?;
            page.screenshot_full(Path::new(&format!("/tmp/shots/{name}.png")))?;
            if name == "light" {
                page.click(".search-filters summary")?;
                page.click(".search-add summary")?;
                page.click(".search-beside")?;
                page.wait_for_element("#search-keywords", 10)?;
                page.click(".search-hit:nth-child(2) .deed:nth-child(1)")?;
                page.pause(std::time::Duration::from_millis(800))?;
                page.screenshot_full(Path::new("/tmp/shots/beside.png"))?;
            }
        }
        Ok(())
    })
}
