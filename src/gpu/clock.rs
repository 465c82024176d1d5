//! When dispatches begin and end, as the device itself tells it.

/// Two times for each of some passes.
#[derive(Debug)]
pub(super) struct Clock {
    times: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    passes: u32,
}

impl Clock {
    /// For so many passes; `None` where the device does not tell the time, or not so often.
    pub(super) fn new(device: &wgpu::Device, passes: usize) -> Option<Self> {
        let can = device.features().contains(wgpu::Features::TIMESTAMP_QUERY);
        let most = wgpu::QUERY_SET_MAX_QUERIES as usize / 2;
        if !can || passes == 0 || passes > most {
            return None;
        }
        let passes = passes as u32;
        let times = device.create_query_set(&wgpu::QuerySetDescriptor {
            label: Some("times"),
            ty: wgpu::QueryType::Timestamp,
            count: 2 * passes,
        });
        let resolved = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("times"),
            size: 16 * u64::from(passes),
            usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        Some(Self { times, resolved, passes })
    }

    /// What all times take.
    pub(super) fn bytes(&self) -> u64 {
        self.resolved.size()
    }

    /// A pass whose times are kept.
    pub(super) fn pass(&self, place: u32) -> wgpu::ComputePassDescriptor<'_> {
        let timestamp_writes = Some(wgpu::ComputePassTimestampWrites {
            query_set: &self.times,
            beginning_of_pass_write_index: Some(2 * place),
            end_of_pass_write_index: Some(2 * place + 1),
        });
        wgpu::ComputePassDescriptor { label: None, timestamp_writes }
    }

    /// Copies all times to a place in a buffer.
    pub(super) fn read(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        landing: &wgpu::Buffer,
        offset: u64,
    ) {
        encoder.resolve_query_set(&self.times, 0..2 * self.passes, &self.resolved, 0);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, landing, offset, self.bytes());
    }
}
