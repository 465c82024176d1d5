//! Pixels on a canvas, and a chart's SVG as a PNG file.

use wasm_bindgen::closure::Closure;
use wasm_bindgen::{Clamped, JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, CanvasRenderingContext2d, HtmlCanvasElement, HtmlImageElement, ImageData};

use crate::browser::page_scope::{document, pixel_ratio, words};
use crate::chart::sphere::{Layer, faded};

/// Pixels of the file for one pixel of the drawing: sharp in print and on dense screens.
const SCALE: f64 = 2.0;

/// Draws the SVG and encodes it.
///
/// # Errors
/// In words, where the browser cannot draw it.
pub async fn png(svg: &str) -> Result<Blob, String> {
    let image = HtmlImageElement::new().map_err(|error| words(&error))?;
    let encoded = String::from(js_sys::encode_uri_component(svg));
    image.set_src(&format!("data:image/svg+xml;charset=utf-8,{encoded}"));
    JsFuture::from(image.decode()).await.map_err(|error| words(&error))?;
    let canvas: HtmlCanvasElement = document()
        .ok_or("no document")?
        .create_element("canvas")
        .map_err(|error| words(&error))?
        .unchecked_into();
    let (width, height) = (f64::from(image.width()) * SCALE, f64::from(image.height()) * SCALE);
    canvas.set_width(width as u32);
    canvas.set_height(height as u32);
    let context: CanvasRenderingContext2d = canvas
        .get_context("2d")
        .map_err(|error| words(&error))?
        .ok_or("no canvas")?
        .unchecked_into();
    context
        .draw_image_with_html_image_element_and_dw_and_dh(&image, 0.0, 0.0, width, height)
        .map_err(|error| words(&error))?;
    encode(&canvas).await
}

/// Shows pixels on a canvas, `[height, width]` in red, green, blue and alpha; it takes their size.
///
/// # Errors
/// In words, where the browser has no memory for them.
pub fn show(
    canvas: &HtmlCanvasElement,
    pixels: &[u8],
    (width, height): (usize, usize),
) -> Result<(), String> {
    let side = |side: usize| u32::try_from(side).unwrap_or_default();
    let (width, height) = (side(width), side(height));
    // Setting a size clears the canvas, even the same size.
    if (canvas.width(), canvas.height()) != (width, height) {
        canvas.set_width(width);
        canvas.set_height(height);
    }
    let context: CanvasRenderingContext2d = canvas
        .get_context("2d")
        .map_err(|error| words(&error))?
        .ok_or("no canvas")?
        .unchecked_into();
    let image = ImageData::new_with_u8_clamped_array_and_sh(Clamped(pixels), width, height);
    let image = image.map_err(|error| words(&error))?;
    context.put_image_data(&image, 0.0, 0.0).map_err(|error| words(&error))
}

/// Draws discs on a square canvas of `side` pixels of the page, a layer over the other.
///
/// # Errors
/// In words, where the browser has no canvas.
pub fn dots(
    canvas: &HtmlCanvasElement,
    side: f64,
    layers: &[Layer],
    colour: &str,
) -> Result<(), String> {
    let ratio = pixel_ratio().clamp(1.0, 2.0);
    let pixels = (side * ratio).round() as u32;
    // Setting a size clears the canvas, even the same size.
    canvas.set_width(pixels);
    canvas.set_height(pixels);
    for side_of in ["width", "height"] {
        let set = canvas.style().set_property(side_of, &format!("{side}px"));
        set.map_err(|error| words(&error))?;
    }
    let context: CanvasRenderingContext2d = canvas
        .get_context("2d")
        .map_err(|error| words(&error))?
        .ok_or("no canvas")?
        .unchecked_into();
    context.scale(ratio, ratio).map_err(|error| words(&error))?;
    for layer in layers.iter().filter(|layer| !layer.centres.is_empty()) {
        context.begin_path();
        for (x, y) in &layer.centres {
            context.move_to(x + layer.radius, *y);
            context
                .arc(*x, *y, layer.radius, 0.0, std::f64::consts::TAU)
                .map_err(|error| words(&error))?;
        }
        context.set_fill_style_str(&faded(colour, layer.opacity));
        context.fill();
    }
    Ok(())
}

async fn encode(canvas: &HtmlCanvasElement) -> Result<Blob, String> {
    let promise = js_sys::Promise::new(&mut |resolve, reject| {
        let done = Closure::once_into_js(move |blob: JsValue| {
            // The promise's own functions do not throw.
            let _ = resolve.call1(&JsValue::NULL, &blob);
        });
        if let Err(error) = canvas.to_blob(done.unchecked_ref()) {
            let _ = reject.call1(&JsValue::NULL, &error);
        }
    });
    let blob = JsFuture::from(promise).await.map_err(|error| words(&error))?;
    blob.dyn_into().map_err(|_| "the picture is too large".to_owned())
}
