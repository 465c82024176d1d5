//! The kernels' WGSL in the browser's own compiler, which is stricter than naga: it also refuses
//! barriers that not all threads may reach.

use simcse_lab::kernels::SHADERS;

use crate::browser::Options;
use crate::check::{Check, ensure};
use crate::journey::{Setup, journey_with};
use crate::page::quote;

#[test]
fn the_browser_compiles_every_kernel() -> Check {
    let browser = Options { webgpu: true, ..Options::default() };
    journey_with(&Setup { browser, ..Setup::default() }, |browser, site| {
        let page = browser.open(&site.url("/"))?;
        let opened = page.evaluate(
            "(async () => { const adapter = await navigator.gpu?.requestAdapter(); \
             const half = adapter?.features.has('shader-f16') ? ['shader-f16'] : []; \
             window.device = await adapter?.requestDevice({ requiredFeatures: half }); \
             return !!window.device; })()",
        )?;
        if opened != true {
            println!("skipped: no adapter");
            return Ok(());
        }
        let half = page.evaluate("device.features.has('shader-f16')")? == true;
        if !half {
            println!("skipped: no shader-f16");
        }
        for shader in SHADERS.into_iter().filter(|shader| half || !shader.needs_half()) {
            let script = format!(
                "(async () => {{ \
                 const module = device.createShaderModule({{ code: {} }}); \
                 const {{ messages }} = await module.getCompilationInfo(); \
                 if (messages.length) return messages.map((it) => `${{it.lineNum}}: ${{it.message}}`).join('; '); \
                 return device.createComputePipelineAsync({{ layout: 'auto', compute: {{ module }} }}) \
                   .then(() => '', (error) => error.message); }})()",
                quote(shader.source)
            );
            let complaint = page.evaluate(&script)?;
            ensure(complaint == "", format!("{}: {complaint}", shader.name))?;
        }
        Ok(())
    })
}
