//! Texts of the Models view's shelf, and of getting models from a hub.

use crate::catalogue::words::words;

words! {
    ModelText;

    GetTitle: "Get a model", "获取模型";
    GetHow: "Name a repository of the Hugging Face Hub, as owner/name, or paste its address, or that of a .gguf, .safetensors or .bin file on any server. The weights come straight into this browser, are quantised on the way and kept here: the next visit starts at once, and nothing you type is sent anywhere.", "输入 Hugging Face Hub 的仓库名（所有者/名称），或粘贴其网址，或任意服务器上 .gguf、.safetensors、.bin 文件的网址。权重直接进入此浏览器，边下载边量化并保存在此：下次访问立即可用，您输入的内容不会发送到任何地方。";
    Repository: "Repository, or a file's address", "仓库或文件网址";
    Quantisation: "Number format", "数值格式";
    QuantisationQ8: "q8_0: a quarter of the size, hardly any difference", "q8_0：四分之一大小，几乎无差别";
    QuantisationQ4: "q4_0: an eighth of the size, small differences", "q4_0：八分之一大小，略有差别";
    QuantisationF16: "f16: half of the size, no difference to speak of", "f16：一半大小，几乎无差别";
    Pooling: "Read by", "读出方式";
    PoolingAsSaid: "as the model's files say", "按模型文件所述";
    Get: "Get it", "获取";
    Suggestions: "For instance", "例如";
    Hub: "Address of the Hub, or of a mirror", "Hub 或镜像的地址";
    HubHow: "Empty: {hub}", "留空则为 {hub}";
    More: "Settings", "设置";
    FromDisk: "From your disk", "来自磁盘";
    FromDiskHow: "Drop a folder's files, a .safetensors, .bin or .gguf file anywhere on this view. A checkpoint is its weights, config.json and tokeniser together. PyTorch's .bin files are read without running what is in them.", "将文件夹中的文件或 .safetensors、.bin、.gguf 文件拖到此视图任意位置。检查点包括权重、config.json 与分词器。读取 PyTorch 的 .bin 文件时不会运行其中的内容。";
    OpenFolder: "Open a folder", "打开文件夹";
    OpenFiles: "Open files", "打开文件";
    Drop: "Drop a model to open it", "拖入模型以打开";
    KeptTitle: "Kept in this browser", "保存在此浏览器中";
    KeptNone: "Models that you get or open are kept here, so that the next visit starts at once.", "获取或打开的模型会保存在此，下次访问立即可用。";
    KeptUsage: "{used} of {quota} MB of the browser's storage in use", "浏览器存储已用 {used} MB，共 {quota} MB";
    Facts: "{quantisation} · {size} MB", "{quantisation} · 大小 {size} MB";
    Source: "From", "来源";
    LastUsed: "Last used", "上次使用";
    UsedNow: "in use", "使用中";
    UsedToday: "today", "今天";
    UsedDays: "{n} {n:day|days} ago", "{n} 天前";
    UsedUnknown: "not known", "未知";
    Use: "Use", "使用";
    Beside: "Compare with it", "与之比较";
    BesideNow: "Beside the model in use", "与当前模型并列";
    BesideSoon: "Opening {name} beside the model in use …", "正在当前模型旁打开 {name} …";
    BesideOff: "Stop comparing", "停止比较";
    BesideHow: "“Compare with it” loads a second model beside the one in use: the switch at the top then goes between the two, in every view.", "“与之比较”会在当前模型旁载入第二个模型：顶部的开关便在两者之间切换，所有视图随之变化。";
    Delete: "Remove", "移除";
    DeleteSure: "Remove “{name}” from this browser? It can be fetched again.", "从此浏览器中移除“{name}”？之后可重新获取。";
    DeleteYes: "Remove the model", "确认移除";
    DeleteNo: "Keep the model", "保留该模型";
    Export: "Save as .gguf", "另存为 .gguf";
    OwnModel: "The page's own model", "本页自带模型";
    Unnamed: "A model without a name", "未命名模型";
}
