//! Small pictures of the files that are sent: an image, or a frame of a film.
//!
//! They are made one or two at a time, for rows that are looked at, and given up quietly
//! where that does not work.

use std::cell::RefCell;
use std::collections::VecDeque;

use futures::channel::oneshot;
use futures::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use js_sys::{Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, CanvasRenderingContext2d, EventTarget, File, HtmlCanvasElement, HtmlVideoElement,
    ImageBitmap, Url,
};

use crate::protocol::manifest::Manifest;

/// The longest image of which a picture is made, in bytes.
const MAX_IMAGE: u64 = 40_000_000;
/// An image up to this length, in bytes, is its own picture.
const SMALL: f64 = 64_000.0;
/// How wide and high a picture is: three pixels for each of the 44 that are shown.
const SIDE: u32 = 132;
/// How many are made at once.
const AT_ONCE: usize = 2;
/// How long a film may take to show itself, in milliseconds.
const PATIENCE: u32 = 20_000;

/// Whether there can be a picture of such a file.
pub fn is_possible(manifest: &Manifest) -> bool {
    let image = is_image(&manifest.media_type) && manifest.size <= MAX_IMAGE;
    manifest.size > 0 && (image || is_film(&manifest.media_type))
}

/// Whether browsers show this type in an `<img>`.
fn is_image(media_type: &str) -> bool {
    matches!(
        media_type,
        "image/png"
            | "image/jpeg"
            | "image/gif"
            | "image/webp"
            | "image/avif"
            | "image/bmp"
            | "image/svg+xml"
    )
}

fn is_film(media_type: &str) -> bool {
    media_type.starts_with("video/")
}

/// A picture of a file, as an object URL. It is not begun if it is no longer `wanted` when
/// it is its turn.
pub async fn of(file: File, wanted: impl Fn() -> bool) -> Option<String> {
    let film = is_film(&file.type_());
    // What has no size of its own is scaled by whoever shows it.
    if !film && (file.size() <= SMALL || file.type_() == "image/svg+xml") {
        return Url::create_object_url_with_blob(&file).ok();
    }
    let _turn = Turn::come().await;
    if !wanted() {
        return None;
    }
    let blob = match film {
        true => of_film(&file).await,
        false => of_image(&file).await,
    };
    Url::create_object_url_with_blob(&blob.ok()?).ok()
}

async fn of_image(file: &File) -> Result<Blob, JsValue> {
    let window = web_sys::window().ok_or(JsValue::NULL)?;
    let promise = window.create_image_bitmap_with_blob(file)?;
    let bitmap: ImageBitmap = JsFuture::from(promise).await?.dyn_into()?;
    let drawn = square(bitmap.width(), bitmap.height(), |draw, [x, y, side]| {
        let to = f64::from(SIDE);
        draw.draw_image_with_image_bitmap_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
            &bitmap, x, y, side, side, 0.0, 0.0, to, to,
        )
    });
    bitmap.close();
    encoded(drawn?).await
}

/// A frame from where a film has begun.
async fn of_film(file: &File) -> Result<Blob, JsValue> {
    let document = web_sys::window().and_then(|it| it.document());
    let video = document.ok_or(JsValue::NULL)?.create_element("video")?;
    let video: HtmlVideoElement = video.dyn_into()?;
    let url = Url::create_object_url_with_blob(file)?;
    let shown = Box::pin(frame(&video, &url));
    let picture = match select(shown, TimeoutFuture::new(PATIENCE)).await {
        Either::Left((picture, _)) => picture,
        Either::Right(_) => Err(JsValue::NULL),
    };
    // It lets go of the file, and of what it decoded.
    video.remove_attribute("src")?;
    video.load();
    Url::revoke_object_url(&url)?;
    encoded(picture?).await
}

async fn frame(video: &HtmlVideoElement, url: &str) -> Result<HtmlCanvasElement, JsValue> {
    video.set_muted(true);
    video.set_preload("auto");
    video.set_src(url);
    happened(video, "loadeddata").await?;
    let length = video.duration();
    if length.is_finite() && length > 0.0 {
        video.set_current_time((length / 10.0).min(3.0));
        happened(video, "seeked").await?;
    }
    square(
        video.video_width(),
        video.video_height(),
        |draw, [x, y, side]| {
            let to = f64::from(SIDE);
            draw.draw_image_with_html_video_element_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
                video, x, y, side, side, 0.0, 0.0, to, to,
            )
        },
    )
}

/// Draws the square in the middle of something so wide and so high.
fn square(
    width: u32,
    height: u32,
    draw: impl FnOnce(&CanvasRenderingContext2d, [f64; 3]) -> Result<(), JsValue>,
) -> Result<HtmlCanvasElement, JsValue> {
    let side = f64::from(width.min(height));
    if side == 0.0 {
        return Err(JsValue::NULL);
    }
    let document = web_sys::window().and_then(|it| it.document());
    let canvas = document.ok_or(JsValue::NULL)?.create_element("canvas")?;
    let canvas: HtmlCanvasElement = canvas.dyn_into()?;
    canvas.set_width(SIDE);
    canvas.set_height(SIDE);
    let context = canvas.get_context("2d")?.ok_or(JsValue::NULL)?;
    let context: CanvasRenderingContext2d = context.dyn_into()?;
    _ = Reflect::set(&context, &"imageSmoothingQuality".into(), &"high".into());
    let [x, y] = [width, height].map(|it| (f64::from(it) - side) / 2.0);
    draw(&context, [x, y, side])?;
    Ok(canvas)
}

async fn encoded(canvas: HtmlCanvasElement) -> Result<Blob, JsValue> {
    let promise = Promise::new(&mut |resolve, reject| {
        if let Err(error) = canvas.to_blob_with_type(&resolve, "image/webp") {
            _ = reject.call1(&JsValue::UNDEFINED, &error);
        }
    });
    JsFuture::from(promise).await?.dyn_into()
}

/// Waits for an event, unless there is an error first.
async fn happened(target: &EventTarget, event: &str) -> Result<(), JsValue> {
    let promise = Promise::new(&mut |resolve, reject| {
        _ = target.add_event_listener_with_callback(event, &resolve);
        _ = target.add_event_listener_with_callback("error", &reject);
    });
    JsFuture::from(promise).await.map(|_| ())
}

thread_local! {
    static TURNS: RefCell<Turns> = RefCell::default();
}

#[derive(Default)]
struct Turns {
    taken: usize,
    waiting: VecDeque<oneshot::Sender<()>>,
}

/// One of those that may be made at the same time.
struct Turn;

impl Turn {
    async fn come() -> Self {
        let wait = TURNS.with_borrow_mut(|turns| {
            if turns.taken < AT_ONCE {
                turns.taken += 1;
                return None;
            }
            let (tell, told) = oneshot::channel();
            turns.waiting.push_back(tell);
            Some(told)
        });
        if let Some(told) = wait {
            _ = told.await;
        }
        Self
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        TURNS.with_borrow_mut(|turns| {
            // Passed on, or given back.
            while let Some(next) = turns.waiting.pop_front() {
                if next.send(()).is_ok() {
                    return;
                }
            }
            turns.taken = turns.taken.saturating_sub(1);
        });
    }
}
