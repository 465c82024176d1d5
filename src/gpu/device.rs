//! A device: it opens, makes buffers and pipelines, runs recordings and notices when it is lost.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use futures_channel::oneshot;
use web_time::Duration;

use crate::gpu::buffer::{Buffer, Shelf, rounded, rounded_down};
use crate::gpu::clock::Clock;
use crate::gpu::error::Error;
use crate::gpu::pipeline::Pipeline;
use crate::gpu::recording::{Constants, Dispatch, Params, Recording, Shader, Took};

/// Every dispatch's parameters begin at a multiple of this (WebGPU's
/// `minUniformBufferOffsetAlignment` is at most 256).
const PARAMS_STRIDE: u64 = 256;

/// No buffer is longer, whatever the device allows: kernels count numbers, and codes of a byte, in 32
/// bits.
const MOST_BUFFER_BYTES: u64 = 1 << 31;

/// What is used where there is such a thing.
const WELCOME: wgpu::Features = wgpu::Features::TIMESTAMP_QUERY.union(wgpu::Features::SHADER_F16);

/// What the device is, for the status line and for tuning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The adapter's name, or what the browser tells of it.
    pub name: String,
    /// `Vulkan`, `Metal`, `Dx12`, `BrowserWebGpu`.
    pub api: String,
    /// Computed by the processor: right, but no faster than our own code.
    pub is_software: bool,
}

/// In words. Browsers may keep the name to themselves.
impl std::fmt::Display for Facts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let api = if self.api == "BrowserWebGpu" { "WebGPU" } else { &self.api };
        let software = if self.is_software { ", played by the processor" } else { "" };
        match &*self.name {
            "" => write!(f, "{api}{software}"),
            name => write!(f, "{name} ({api}{software})"),
        }
    }
}

/// How often the device was asked for something since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub submissions: u32,
    pub read_backs: u32,
    pub dispatches: u32,
}

/// A GPU. Copies are the same one.
#[derive(Debug, Clone)]
pub struct Gpu(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    device: wgpu::Device,
    queue: wgpu::Queue,
    facts: Facts,
    /// The longest buffer.
    most_bytes: u64,
    shelf: Rc<RefCell<Shelf>>,
    pipelines: RefCell<HashMap<(&'static str, Constants), Rc<Pipeline>>>,
    /// Set from wherever the API calls back.
    lost: Arc<Mutex<Option<String>>>,
    /// What went wrong where nobody waited for an answer, since the last run.
    amiss: Arc<Mutex<Option<Amiss>>>,
    /// The longest buffer made since the last run, in bytes.
    longest: Cell<u64>,
    counts: Cell<Counts>,
}

/// An error that the device told nobody in particular.
#[derive(Debug)]
enum Amiss {
    Memory,
    Refused(String),
}

impl Gpu {
    /// Opens the fastest adapter there is.
    ///
    /// # Errors
    /// [`Error::NoAdapter`], [`Error::NoDevice`].
    pub async fn open() -> Result<Self, Error> {
        Self::open_within(MOST_BUFFER_BYTES).await
    }

    /// [`Gpu::open`], but no buffer may be longer than so many bytes, as on a device with tight limits.
    ///
    /// # Errors
    /// As [`Gpu::open`].
    pub async fn open_within(most_bytes: u64) -> Result<Self, Error> {
        Self::open_on(most_bytes, wgpu::MemoryBudgetThresholds::default()).await
    }

    /// [`Gpu::open`] where the memory is used up: every buffer is refused, if the adapter can tell how
    /// much memory there is. For tests.
    ///
    /// # Errors
    /// As [`Gpu::open`].
    pub async fn open_without_memory() -> Result<Self, Error> {
        let none = wgpu::MemoryBudgetThresholds {
            for_resource_creation: Some(0),
            ..wgpu::MemoryBudgetThresholds::default()
        };
        Self::open_on(MOST_BUFFER_BYTES, none).await
    }

    async fn open_on(
        most_bytes: u64,
        memory_budget_thresholds: wgpu::MemoryBudgetThresholds,
    ) -> Result<Self, Error> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
            backends: wgpu::Backends::PRIMARY,
            memory_budget_thresholds,
            ..wgpu::InstanceDescriptor::new_without_display_handle()
        });
        let options = wgpu::RequestAdapterOptions::<'_, '_> {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..wgpu::RequestAdapterOptions::default()
        };
        let adapter = instance.request_adapter(&options).await;
        let adapter = adapter.map_err(|error| Error::NoAdapter { detail: error.to_string() })?;
        let info = adapter.get_info();
        let facts = Facts {
            name: info.name,
            api: format!("{:?}", info.backend),
            is_software: info.device_type == wgpu::DeviceType::Cpu,
        };
        // As large buffers as it has; all else as every device has it.
        let offered = adapter.limits();
        let required_limits = wgpu::Limits {
            max_buffer_size: offered.max_buffer_size.min(most_bytes),
            max_storage_buffer_binding_size: offered
                .max_storage_buffer_binding_size
                .min(most_bytes),
            ..wgpu::Limits::default()
        };
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("SimCSE Lab"),
            required_limits,
            required_features: adapter.features() & WELCOME,
            ..wgpu::DeviceDescriptor::default()
        };
        let opened = adapter.request_device(&descriptor).await;
        let (device, queue) = opened.map_err(|error| Error::NoDevice {
            adapter: facts.name.clone(),
            detail: error.to_string(),
        })?;
        Ok(Self::watched(device, queue, facts))
    }

    fn watched(device: wgpu::Device, queue: wgpu::Queue, facts: Facts) -> Self {
        let lost = Arc::new(Mutex::new(None));
        let note = Arc::clone(&lost);
        device.set_device_lost_callback(move |reason, message| {
            let mut lost = note.lock().unwrap_or_else(PoisonError::into_inner);
            lost.get_or_insert(format!("{reason:?}: {message}"));
        });
        let amiss = Arc::new(Mutex::new(None));
        let note = Arc::clone(&amiss);
        // Without this one, wgpu's own panics.
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            let mut amiss = note.lock().unwrap_or_else(PoisonError::into_inner);
            let found = match error {
                wgpu::Error::OutOfMemory { .. } => Amiss::Memory,
                other => Amiss::Refused(other.to_string()),
            };
            // Whatever uses a buffer that there is no room for is refused next.
            amiss.get_or_insert(found);
        }));
        let limits = device.limits();
        let most_bytes = limits.max_buffer_size.min(limits.max_storage_buffer_binding_size);
        let most_bytes = most_bytes.min(MOST_BUFFER_BYTES);
        let (shelf, pipelines, longest, counts) = Default::default();
        let inner = Inner {
            device,
            queue,
            facts,
            most_bytes,
            shelf,
            pipelines,
            lost,
            amiss,
            longest,
            counts,
        };
        Self(Rc::new(inner))
    }

    /// What it is.
    pub fn facts(&self) -> &Facts {
        &self.0.facts
    }

    /// What it was asked for so far.
    pub fn counts(&self) -> Counts {
        self.0.counts.get()
    }

    /// Why it can no longer be used, where it cannot.
    pub fn lost(&self) -> Option<String> {
        self.0.lost.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Loses it, as a driver's crash would: for tests, and to give its memory back at once.
    pub fn destroy(&self) {
        self.0.device.destroy();
        let mut lost = self.0.lost.lock().unwrap_or_else(PoisonError::into_inner);
        lost.get_or_insert("destroyed".to_owned());
    }

    /// Whether it takes shaders with `f16`.
    pub fn has_half(&self) -> bool {
        self.0.device.features().contains(wgpu::Features::SHADER_F16)
    }

    /// The longest upload in bytes.
    pub fn most_bytes(&self) -> u64 {
        self.0.most_bytes
    }

    /// The most numbers that [`Gpu::room`] can give room for.
    pub fn most_numbers(&self) -> usize {
        usize::try_from(rounded_down(self.0.most_bytes) / 4).unwrap_or(usize::MAX)
    }

    fn fits(&self, what: &'static str, needed: u64) -> Result<(), Error> {
        let limit = self.0.most_bytes;
        if needed <= limit { Ok(()) } else { Err(Error::Limit { what, needed, limit }) }
    }

    /// Room for so many 32-bit numbers, holding anything.
    ///
    /// # Errors
    /// [`Error::Limit`] where a buffer cannot be that long.
    pub fn room(&self, what: &'static str, numbers: usize) -> Result<Buffer, Error> {
        let bytes = 4 * numbers as u64;
        self.fits(what, rounded(bytes))?;
        Ok(Shelf::take(&self.0.shelf, bytes, |size| {
            self.0.longest.set(self.0.longest.get().max(size));
            self.0.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(what),
                size,
                usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            })
        }))
    }

    /// 32-bit numbers for kernels to read. It is filled at once, while recordings run later, so it is
    /// always a new buffer: one that was used before may still be waited for.
    ///
    /// # Errors
    /// [`Error::Limit`] where a buffer cannot be that long, [`Error::Memory`] where there is no
    /// room.
    pub fn upload(&self, what: &'static str, words: &[u32]) -> Result<Buffer, Error> {
        let size = 4 * words.len().max(1) as u64;
        self.fits(what, size)?;
        self.0.longest.set(self.0.longest.get().max(size));
        let raw = self.0.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(what),
            size,
            usage: wgpu::BufferUsages::STORAGE,
            mapped_at_creation: true,
        });
        {
            let mapped = raw.get_mapped_range_mut(..);
            let mut view = mapped.map_err(|_| Error::Memory { needed_bytes: size })?;
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            view.slice(..bytes.len()).copy_from_slice(&bytes);
        }
        raw.unmap();
        Ok(Buffer::once(raw))
    }

    /// [`Gpu::upload`] of real numbers.
    ///
    /// # Errors
    /// As [`Gpu::upload`].
    pub fn upload_reals(&self, what: &'static str, values: &[f32]) -> Result<Buffer, Error> {
        let words: Vec<u32> = values.iter().map(|value| value.to_bits()).collect();
        self.upload(what, &words)
    }

    /// Runs a recording and reads the first numbers of some buffers, so many of each, one after the
    /// other: one submission, one read-back.
    ///
    /// # Errors
    /// [`Error::Lost`], [`Error::Memory`], and [`Error::Refused`] where a shader or a binding is
    /// not what the device takes.
    pub async fn run(
        &self,
        recording: Recording,
        outputs: &[(&Buffer, usize)],
    ) -> Result<Vec<f32>, Error> {
        let values = self.submit(&recording.steps, outputs, None).await?.0;
        Ok(values)
    }

    /// [`Gpu::run`], and how long each dispatch took (those without workgroups left out), where the
    /// device can tell. Each gets a pass of its own, which takes time itself.
    ///
    /// # Errors
    /// As [`Gpu::run`].
    pub async fn run_timed(
        &self,
        recording: Recording,
        outputs: &[(&Buffer, usize)],
    ) -> Result<(Vec<f32>, Option<Vec<Took>>), Error> {
        self.still_there()?;
        let clock = Clock::new(&self.0.device, not_empty(&recording.steps).count());
        let (values, ticks) = self.submit(&recording.steps, outputs, clock.as_ref()).await?;
        let period_ns = f64::from(self.0.queue.get_timestamp_period());
        let took = |(step, ends): (&Dispatch, &[u64; 2])| {
            let duration_ns = ends[1].saturating_sub(ends[0]) as f64 * period_ns;
            Took { shader: step.shader.name, duration: Duration::from_nanos(duration_ns as u64) }
        };
        let times = not_empty(&recording.steps).zip(ticks.as_chunks::<2>().0).map(took).collect();
        Ok((values, clock.map(|_| times)))
    }

    /// The numbers, and when each dispatch began and ended.
    async fn submit(
        &self,
        steps: &[Dispatch],
        outputs: &[(&Buffer, usize)],
        clock: Option<&Clock>,
    ) -> Result<(Vec<f32>, Vec<u64>), Error> {
        self.still_there()?;
        let inner = &self.0;
        let memory = inner.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validity = inner.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let count: usize = outputs.iter().map(|(_, count)| count).sum();
        let size = 4 * count.max(1) as u64;
        // Times are of eight bytes and lie behind the numbers.
        let times_at = size.next_multiple_of(8);
        let landing = inner.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("read-back"),
            size: times_at + clock.map_or(0, Clock::bytes),
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        let mut encoder = inner.device.create_command_encoder(&Default::default());
        self.encode(steps, &mut encoder, clock);
        let mut at = 0;
        for (output, count) in outputs.iter().filter(|(_, count)| *count > 0) {
            let size = 4 * *count as u64;
            encoder.copy_buffer_to_buffer(output.raw(), 0, &landing, at, size);
            at += size;
        }
        if let Some(clock) = clock {
            clock.read(&mut encoder, &landing, times_at);
        }
        inner.queue.submit([encoder.finish()]);
        let mut counts = inner.counts.get();
        counts.submissions += 1;
        counts.read_backs += 1;
        counts.dispatches += steps.len() as u32;
        inner.counts.set(counts);
        let (validity, memory) = (validity.pop(), memory.pop());
        let longest = inner.longest.replace(0).max(size);
        let (validity, memory) = (validity.await, memory.await);
        let amiss = inner.amiss.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Where memory is short, much is refused; the memory is what counts.
        if memory.is_some() || matches!(amiss, Some(Amiss::Memory)) {
            return Err(self.cause(Error::Memory { needed_bytes: longest }));
        }
        if let Some(Amiss::Refused(detail)) = amiss {
            return Err(self.cause(Error::Refused { detail }));
        }
        if let Some(error) = validity {
            return Err(self.cause(Error::Refused { detail: error.to_string() }));
        }
        self.map(&landing).await?;
        let mapped = landing.get_mapped_range(..);
        let view = mapped.map_err(|error| self.refused(&error))?;
        let (values, times) = view.split_at_checked(times_at as usize).unwrap_or((&view, &[]));
        let values = values.as_chunks::<4>().0.iter().take(count);
        let ticks = times.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes));
        Ok((values.map(|bytes| f32::from_le_bytes(*bytes)).collect(), ticks.collect()))
    }

    /// Waits until the device has written the buffer.
    async fn map(&self, landing: &wgpu::Buffer) -> Result<(), Error> {
        let (sender, receiver) = oneshot::channel();
        landing.map_async(wgpu::MapMode::Read, .., move |outcome| {
            // Nobody listens any more where the caller gave up.
            let _ = sender.send(outcome.is_ok());
        });
        // Browsers call back by themselves; there this does nothing.
        let polled = self.0.device.poll(wgpu::PollType::wait_indefinitely());
        polled.map_err(|error| self.refused(&error))?;
        let failed = "the result could not be read back".to_owned();
        if receiver.await == Ok(true) {
            Ok(())
        } else {
            // What was submitted was valid, so that it is the device that went; it may say so later.
            Err(self.cause(Error::Lost { detail: failed }))
        }
    }

    fn still_there(&self) -> Result<(), Error> {
        self.lost().map_or(Ok(()), |detail| Err(Error::Lost { detail }))
    }

    /// A lost device fails in many ways; that it was lost is what counts.
    fn cause(&self, error: Error) -> Error {
        self.still_there().err().unwrap_or(error)
    }

    fn refused(&self, error: &dyn std::fmt::Display) -> Error {
        self.cause(Error::Refused { detail: error.to_string() })
    }

    fn encode(
        &self,
        steps: &[Dispatch],
        encoder: &mut wgpu::CommandEncoder,
        clock: Option<&Clock>,
    ) {
        let steps: Vec<&Dispatch> = not_empty(steps).collect();
        if steps.is_empty() {
            return;
        }
        let params = self.params(&steps);
        let Some(clock) = clock else {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            for (place, step) in steps.into_iter().enumerate() {
                self.dispatch(&mut pass, step, &params, place);
            }
            return;
        };
        for (place, step) in steps.into_iter().enumerate() {
            let mut pass = encoder.begin_compute_pass(&clock.pass(place as u32));
            self.dispatch(&mut pass, step, &params, place);
        }
    }

    fn dispatch(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        step: &Dispatch,
        params: &wgpu::Buffer,
        place: usize,
    ) {
        let pipeline = self.pipeline(step.shader, &step.constants);
        let group = self.bind(&pipeline, params, place as u64 * PARAMS_STRIDE, &step.buffers);
        pass.set_pipeline(&pipeline.raw);
        pass.set_bind_group(0, &group, &[]);
        let [x, y, z] = step.groups;
        pass.dispatch_workgroups(x, y, z);
    }

    /// All dispatches' parameters in one buffer.
    fn params(&self, steps: &[&Dispatch]) -> wgpu::Buffer {
        let mut bytes = vec![0; steps.len() * PARAMS_STRIDE as usize];
        for (to, step) in bytes.chunks_exact_mut(PARAMS_STRIDE as usize).zip(steps) {
            for (to, word) in to.as_chunks_mut::<4>().0.iter_mut().zip(step.params) {
                *to = word.to_le_bytes();
            }
        }
        let buffer = self.0.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("parameters"),
            size: bytes.len() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        self.0.queue.write_buffer(&buffer, 0, &bytes);
        buffer
    }

    fn bind(
        &self,
        pipeline: &Pipeline,
        params: &wgpu::Buffer,
        offset: u64,
        buffers: &[Buffer],
    ) -> wgpu::BindGroup {
        let params = wgpu::BufferBinding {
            buffer: params,
            offset,
            size: std::num::NonZeroU64::new(size_of::<Params>() as u64),
        };
        let all = buffers.iter().map(|buffer| buffer.raw().as_entire_binding());
        let resources = std::iter::once(wgpu::BindingResource::Buffer(params)).chain(all);
        let entries: Vec<_> = (0..)
            .zip(resources)
            .map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource })
            .collect();
        self.0.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.bindings,
            entries: &entries,
        })
    }

    fn pipeline(&self, shader: &'static Shader, constants: &Constants) -> Rc<Pipeline> {
        let key = (shader.name, constants.clone());
        if let Some(made) = self.0.pipelines.borrow().get(&key) {
            return Rc::clone(made);
        }
        let made = Rc::new(Pipeline::compile(&self.0.device, shader, constants));
        self.0.pipelines.borrow_mut().insert(key, Rc::clone(&made));
        made
    }
}

/// Those with workgroups.
fn not_empty(steps: &[Dispatch]) -> impl Iterator<Item = &Dispatch> {
    steps.iter().filter(|step| !step.groups.contains(&0))
}

#[cfg(test)]
mod tests {
    use super::Gpu;
    use crate::gpu::error::Error;
    use crate::gpu::recording::Recording;

    #[test]
    fn what_fails_between_runs_is_said_by_the_next_one() {
        let gpu = match pollster::block_on(Gpu::open()) {
            Ok(gpu) => gpu,
            Err(Error::NoAdapter { .. }) => return println!("skipped: no adapter"),
            Err(error) => panic!("{error}"),
        };
        let room = gpu.room("room", 3).unwrap();
        let run = || pollster::block_on(gpu.run(Recording::default(), &[(&room, 3)]));
        run().unwrap();
        let _ = gpu.0.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("too long"),
            size: gpu.0.device.limits().max_buffer_size + 4,
            usage: wgpu::BufferUsages::STORAGE,
            mapped_at_creation: false,
        });
        let error = run().unwrap_err();
        assert!(
            matches!(&error, Error::Refused { detail } if detail.contains("too long")),
            "{error}"
        );
        run().unwrap();
    }
}
