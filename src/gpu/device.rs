//! A device: it opens, makes buffers and pipelines, runs recordings and notices when it is lost.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use futures_channel::oneshot;

use crate::gpu::buffer::{Buffer, Shelf, rounded};
use crate::gpu::error::Error;
use crate::gpu::recording::{Access, Constants, Dispatch, Params, Recording, Shader};

/// Every dispatch's parameters begin at a multiple of this (WebGPU's
/// `minUniformBufferOffsetAlignment` is at most 256).
const PARAMS_STRIDE: u64 = 256;

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
    shelf: Rc<RefCell<Shelf>>,
    pipelines: RefCell<HashMap<(&'static str, Constants), Rc<Pipeline>>>,
    /// Set from wherever the API calls back.
    lost: Arc<Mutex<Option<String>>>,
    counts: Cell<Counts>,
}

#[derive(Debug)]
struct Pipeline {
    raw: wgpu::ComputePipeline,
    bindings: wgpu::BindGroupLayout,
}

impl Gpu {
    /// Opens the fastest adapter there is.
    ///
    /// # Errors
    /// [`Error::NoAdapter`], [`Error::NoDevice`].
    pub async fn open() -> Result<Self, Error> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
            backends: wgpu::Backends::PRIMARY,
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
            max_buffer_size: offered.max_buffer_size,
            max_storage_buffer_binding_size: offered.max_storage_buffer_binding_size,
            ..wgpu::Limits::default()
        };
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("SimCSE Lab"),
            required_limits,
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
        let (shelf, pipelines, counts) = Default::default();
        Self(Rc::new(Inner { device, queue, facts, shelf, pipelines, lost, counts }))
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

    fn fits(&self, what: &'static str, bytes: u64) -> Result<(), Error> {
        let limits = self.0.device.limits();
        let limit = limits.max_buffer_size.min(limits.max_storage_buffer_binding_size);
        let fits = rounded(bytes) <= limit;
        if fits { Ok(()) } else { Err(Error::Limit { what, needed: rounded(bytes), limit }) }
    }

    /// Room for so many 32-bit numbers, holding anything.
    ///
    /// # Errors
    /// [`Error::Limit`] where a buffer cannot be that long.
    pub fn room(&self, what: &'static str, numbers: usize) -> Result<Buffer, Error> {
        let bytes = 4 * numbers as u64;
        self.fits(what, bytes)?;
        Ok(Shelf::take(&self.0.shelf, bytes, |size| {
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

    /// Runs a recording and reads the first `count` numbers of a buffer: one submission, one
    /// read-back.
    ///
    /// # Errors
    /// [`Error::Lost`], [`Error::Memory`], and [`Error::Refused`] where a shader or a binding is
    /// not what the device takes.
    pub async fn run(
        &self,
        recording: Recording,
        output: &Buffer,
        count: usize,
    ) -> Result<Vec<f32>, Error> {
        self.still_there()?;
        let inner = &self.0;
        let memory = inner.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validity = inner.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let size = 4 * count.max(1) as u64;
        let landing = inner.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("read-back"),
            size,
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        let mut encoder = inner.device.create_command_encoder(&Default::default());
        self.encode(&recording.steps, &mut encoder);
        encoder.copy_buffer_to_buffer(output.raw(), 0, &landing, 0, size);
        inner.queue.submit([encoder.finish()]);
        let mut counts = inner.counts.get();
        counts.submissions += 1;
        counts.read_backs += 1;
        counts.dispatches += recording.steps.len() as u32;
        inner.counts.set(counts);
        let (validity, memory) = (validity.pop(), memory.pop());
        if let Some(error) = validity.await {
            return Err(self.cause(Error::Refused { detail: error.to_string() }));
        }
        if memory.await.is_some() {
            return Err(self.cause(Error::Memory { needed_bytes: size }));
        }
        self.map(&landing).await?;
        let mapped = landing.get_mapped_range(..);
        let view = mapped.map_err(|error| self.refused(&error))?;
        Ok(view.as_chunks::<4>().0.iter().take(count).map(|b| f32::from_le_bytes(*b)).collect())
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

    fn encode(&self, steps: &[Dispatch], encoder: &mut wgpu::CommandEncoder) {
        let steps: Vec<&Dispatch> = steps.iter().filter(|it| !it.groups.contains(&0)).collect();
        if steps.is_empty() {
            return;
        }
        let params = self.params(&steps);
        let mut pass = encoder.begin_compute_pass(&Default::default());
        for (place, step) in steps.into_iter().enumerate() {
            let pipeline = self.pipeline(step.shader, &step.constants);
            let group = self.bind(&pipeline, &params, place as u64 * PARAMS_STRIDE, &step.buffers);
            pass.set_pipeline(&pipeline.raw);
            pass.set_bind_group(0, &group, &[]);
            let [x, y, z] = step.groups;
            pass.dispatch_workgroups(x, y, z);
        }
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
        let made = Rc::new(self.compile(shader, constants));
        self.0.pipelines.borrow_mut().insert(key, Rc::clone(&made));
        made
    }

    fn compile(&self, shader: &'static Shader, constants: &Constants) -> Pipeline {
        let device = &self.0.device;
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(shader.name),
            source: wgpu::ShaderSource::Wgsl(shader.source.into()),
        });
        let uniform = std::iter::once(wgpu::BufferBindingType::Uniform);
        let storage = shader
            .buffers
            .iter()
            .map(|access| wgpu::BufferBindingType::Storage { read_only: *access == Access::Read });
        let entries: Vec<_> = (0..)
            .zip(uniform.chain(storage))
            .map(|(binding, ty)| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty,
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                count: None,
            })
            .collect();
        let bindings = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some(shader.name),
            entries: &entries,
        });
        let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(shader.name),
            bind_group_layouts: &[Some(&bindings)],
            immediate_size: 0,
        });
        let values: Vec<(&str, f64)> =
            constants.iter().map(|(name, value)| (*name, f64::from(*value))).collect();
        let raw = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(shader.name),
            layout: Some(&layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &values,
                ..Default::default()
            },
            cache: None,
        });
        Pipeline { raw, bindings }
    }
}
