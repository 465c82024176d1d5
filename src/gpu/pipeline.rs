//! Shaders, compiled for a device.

use crate::gpu::recording::{Access, Constants, Shader};

/// A compiled shader, and where its buffers go.
#[derive(Debug)]
pub struct Pipeline {
    pub raw: wgpu::ComputePipeline,
    pub bindings: wgpu::BindGroupLayout,
}

impl Pipeline {
    /// Compiles a shader. Where the device refuses it, the run that uses it says so.
    pub fn compile(device: &wgpu::Device, shader: &'static Shader, constants: &Constants) -> Self {
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
        Self { raw, bindings }
    }
}
