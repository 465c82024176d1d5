//! Texts about adapters: the before/after switch, the shelf.

use crate::catalogue::words::words;

words! {
    AdapterText;

    // The switch
    Sides: "Before or after the fine-tune", "微调前或微调后";
    Before: "Before", "之前";
    After: "After", "之后";
    SidesHow: "Before: the model as it came. After: with the adapter {name}. Every view follows. Hold the switch, or the key B, to peek at the other side.", "“之前”：原始模型；“之后”：装上适配器 {name}。所有视图随之切换。按住开关或 B 键可临时查看另一侧。";
    TwoModels: "Which of the two models", "两个模型之一";
    ModelsHow: "{first} or {second}. Every view follows. Hold the switch, or the key B, to peek at the other one.", "{first} 或 {second}。所有视图随之切换。按住开关或 B 键可临时查看另一个。";
    SideOf: "{side}: {value}", "{side}：{value}";
    BothScores: "{first} {before}, {second} {after}.", "{first} 为 {before}，{second} 为 {after}。";
    StatusAdapter: "Adapter", "适配器";
    StatusBeside: "Beside it", "并列模型";
    StatusAdapterValue: "{name}, {percent} % of it on the side after", "{name}，“之后”一侧用其 {percent} %";

    // The shelf
    ShelfTitle: "Adapters", "适配器";
    ShelfHow: "An adapter is what a fine-tune changes in a model: a small file beside it. With one on the model, every view has a side before and a side after.", "适配器是微调对模型所作的改动：模型之外的一个小文件。装上后，每个视图都有“之前”与“之后”两侧。";
    ShelfEmpty: "None kept yet. Train one under Fine-tune, or import a file.", "尚无保存的适配器。请在“微调”中训练，或导入文件。";
    ShelfRefused: "This browser refused to store adapters (private window, or no space): they are kept for this visit. Export what you want to keep.", "浏览器拒绝保存适配器（隐私窗口或空间不足）：仅在本次访问中保留。请导出要留存的文件。";
    ShelfUnreadable: "Files in the store that cannot be read: {n}.", "存储中无法读取的文件：{n}。";
    Import: "Import an adapter", "导入适配器";
    ImportHow: "A .gguf exported here, written by `simcse train`, or a LoRA adapter of llama.cpp for this model. It may also be dropped anywhere on this page.", "可为本页导出的或 `simcse train` 写出的 .gguf，或适用于此模型的 llama.cpp LoRA 适配器；也可拖放到本页任意处。";
    OnTheModel: "On the model", "已装上";
    FromTheSite: "Comes with this page", "随本页提供";
    Arriving: "Putting {name} on the model …", "正在装上 {name} …";
    Attach: "Put on the model", "装上";
    Detach: "Take off", "卸下";
    Export: "Export file", "导出文件";
    Delete: "Delete", "删除";
    DeleteSure: "Delete {name} from this browser? Without an exported file it cannot be brought back.", "从此浏览器删除 {name}？若未导出文件，将无法恢复。";
    DeleteYes: "Delete it", "确认删除";
    DeleteNo: "Keep it", "保留";
    Blend: "Strength", "强度";
    BlendValue: "{percent} %", "{percent} %";
    BlendHow: "0 % is the model as it came, 100 % the adapter as it was trained, above that it is exaggerated.", "0 % 为原始模型，100 % 为训练所得的适配器，更高则为夸大。";
    Base: "For the model", "适用模型";
    OtherBase: "Made for {base} ({hash}), not for the model in use.", "为 {base}（{hash}）制作，不适用于当前模型。";
    BaseUnsaid: "Does not say for which model", "未说明适用模型";
    Size: "Size", "大小";
    SizeValue: "{size}, {n} numbers", "{size}，{n} 个数";
    Kilobytes: "{n} kB", "{n} kB";
    Megabytes: "{n} MB", "{n} MB";
    Trained: "Trained readout", "训练的读出方式";
    Best: "Scores best with", "得分最高的读出方式";
    Seed: "Seed", "随机种子";
    Measured: "Measured by its maker", "制作者的测量";
    Recipe: "Recipe", "配方";
    Licence: "Licence", "许可";
    Hash: "SHA-256", "SHA-256";
}
