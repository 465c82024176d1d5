//! The page's door: starts the app, or on `bench.html` the measuring entry.

#[cfg(target_arch = "wasm32")]
fn main() {
    use simcse_lab::browser::bench;
    use simcse_lab::ui::app;

    console_error_panic_hook::set_once();
    if bench::is_bench_page() {
        // Refused only where the window takes no properties.
        if let Err(error) = bench::install() {
            web_sys::console::error_1(&error);
        }
    } else {
        app::start();
    }
}

/// The page exists only in a browser.
#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("This program runs in a browser: build the site with `cargo xtask build`.");
}
