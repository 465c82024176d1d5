//! The catalogue itself: a name, English, Simplified Chinese. `{places}` are filled by
//! [`crate::catalogue::fill`] and must be the same in both languages (a test checks).

use crate::catalogue::language::Language;

macro_rules! catalogue {
    ($($name:ident: $english:literal, $chinese:literal;)*) => {
        /// Names of the texts.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Text { $($name),* }

        impl Text {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The words in a language.
            pub fn in_language(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$name, Language::English) => $english,
                      (Self::$name, Language::Chinese) => $chinese,)*
                }
            }
        }
    };
}

catalogue! {
    // The page
    AppName: "SimCSE Lab", "SimCSE 实验室";
    Tagline: "See how a neural network measures the meaning of sentences.", "看神经网络如何度量句子的含义。";
    Promise: "Everything is computed in this browser. Nothing you type leaves this device.", "一切计算都在此浏览器中完成，您输入的内容不会离开本设备。";
    SkipToContent: "Skip to content", "跳到正文";
    Views: "Views", "视图";
    ViewCompare: "Compare", "比较";
    ViewSearch: "Search", "搜索";
    ViewGeometry: "Geometry", "几何";
    ViewFineTune: "Fine-tune", "微调";
    ViewSoon: "{view}: not built yet", "{view}：尚未建成";
    ViewModels: "Models", "模型";
    LanguageLabel: "Language", "语言";
    ThemeLabel: "Appearance", "外观";
    ThemeSystem: "System", "跟随系统";
    ThemeLight: "Light", "浅色";
    ThemeDark: "Dark", "深色";
    Dismiss: "Dismiss", "关闭";
    Undo: "Undo", "撤销";
    StartOver: "Start over", "重新开始";
    TryAgain: "Try again", "重试";
    SourceCode: "Free software, MIT or Apache-2.0. Model: {model}, {licence}.", "自由软件，MIT 或 Apache-2.0 许可。模型：{model}，{licence}。";

    // Views that are still empty
    ComingTitle: "Not built yet", "尚未建成";
    ComingSearch: "Here you will paste a corpus and search it by meaning as you type: results with their context, more-like-this, and keyword search beside it.", "您将能在此粘贴语料并按含义即时搜索：带上下文的结果、“更多类似”，并与关键词搜索对照。";
    ComingGeometry: "Here you will see alignment, uniformity and anisotropy of your own sentences, live: the cone of embeddings before SimCSE and the sphere after it.", "您将能在此实时看到自己句子的对齐性、均匀性与各向异性：SimCSE 之前的嵌入锥与之后的球面。";
    ComingFineTune: "Here you will fine-tune the encoder on sentences you paste, with dropout and a contrastive loss, in this tab.", "您将能在此标签页内，用 dropout 与对比损失在您粘贴的句子上微调编码器。";
    ComingUntil: "Until then, Compare works on any sentences you like.", "在此之前，“比较”可用于任何句子。";
    GoToCompare: "Go to Compare", "前往“比较”";

    // Status
    StatusStarting: "Starting", "正在启动";
    StatusNoModel: "No model", "无模型";
    StatusReady: "{quantisation} · {backend} · {ms} ms", "{quantisation} · {backend} · {ms} 毫秒";
    StatusReadyUntimed: "{quantisation} · {backend}", "{quantisation} · {backend}";
    StatusDownloading: "Downloading {percent} %", "下载中 {percent} %";
    StatusReadingStore: "From the store {percent} %", "读取存储 {percent} %";
    StatusPreparing: "Preparing the model", "正在准备模型";
    StatusOpen: "Show model and device", "显示模型与设备";
    StatusTitle: "What computes here", "此处由什么计算";
    StatusModel: "Model", "模型";
    StatusSize: "Size", "大小";
    StatusSizeValue: "{mb} MB, weights {quantisation}", "{mb} MB，权重 {quantisation}";
    StatusShape: "Shape", "结构";
    StatusShapeValue: "{layers} layers, {hidden} dimensions, {heads} heads, up to {tokens} tokens", "{layers} 层，{hidden} 维，{heads} 个注意力头，最多 {tokens} 个词元";
    StatusBackend: "Backend", "后端";
    StatusDevice: "Device", "设备";
    StatusSpeed: "Last comparison", "上次比较";
    StatusSpeedValue: "{ms} ms a sentence", "每句 {ms} 毫秒";
    StatusStorage: "Storage", "存储";
    StoreKept: "Kept in this browser: the next visit needs no download of the model.", "已保存在此浏览器中，下次访问无需再下载模型。";
    StoreRefused: "This browser refused to store the model (private window, or no space). It works from memory and is downloaded again next time.", "浏览器拒绝保存模型（隐私窗口或空间不足）。现在从内存运行，下次会重新下载。";
    StoreDamaged: "The stored copy was damaged and has been fetched again.", "已存副本损坏，已重新获取。";
    StoreRemoved: "The stored copy was deleted.", "已存副本已删除。";
    StoreUnknown: "Not stored: opened from a file for this visit.", "未保存：仅为本次访问从文件打开。";
    BackendCpu: "CPU", "CPU";
    BackendWebGpu: "WebGPU", "WebGPU";
    HonestWeights: "These are the published all-MiniLM-L6-v2 weights, quantised. They are not yet trained with SimCSE by us.", "这是已发布的 all-MiniLM-L6-v2 权重（经量化），尚未由我们用 SimCSE 训练。";
    OwnWeights: "These weights come from your file. Their quality is not known to this page.", "这些权重来自您的文件，本页不了解其质量。";

    // Loading the model
    LoadingTitle: "Getting the model", "正在获取模型";
    LoadingLook: "Looking for the model", "正在查找模型";
    LoadingDownload: "Downloading: {done} of {total} MB", "下载中：{done} / {total} MB";
    LoadingStore: "Reading from this browser's store: {done} of {total} MB", "从浏览器存储读取：{done} / {total} MB";
    LoadingPrepare: "Checking and preparing {total} MB of weights", "正在检查并准备 {total} MB 权重";
    LoadingRate: "{rate} MB/s", "{rate} MB/秒";
    LoadingLeft: "{time} left", "剩余 {time}";
    LoadingStop: "Stop", "停止";
    LoadingResume: "Resume", "继续";
    LoadingStoppedAt: "Stopped at {done} of {total} MB. What has arrived is kept.", "已停在 {done} / {total} MB，已到达的部分会保留。";
    LoadingFailed: "The model could not be loaded.", "模型无法加载。";
    WorkerStopped: "The computation crashed several times in a minute and was stopped. Your text is safe.", "计算在一分钟内多次崩溃，已停止。您的文字是安全的。";
    Seconds: "{s} s", "{s} 秒";
    MinutesSeconds: "{min} min {s} s", "{min} 分 {s} 秒";

    // Compare: two sentences
    CompareTitle: "How alike are two sentences?", "两个句子有多相似？";
    SentenceA: "Sentence A", "句子 A";
    SentenceB: "Sentence B", "句子 B";
    Swap: "Swap the sentences", "交换句子";
    Examples: "Try", "试试";
    ExampleParaphrase: "Paraphrase", "同义改写";
    ExampleNegation: "Negation", "否定";
    ExampleWordOrder: "Word order", "词序";
    ExampleTwoMeanings: "One word, two meanings", "一词多义";
    ExampleSameTopic: "Same topic", "同一话题";
    ExampleUnrelated: "Unrelated", "无关";
    LessonParaphrase: "Few words in common, one meaning: the score is far above unrelated.", "用词几乎不同而含义相同：分数远高于无关。";
    LessonNegation: "Opposite claims, high score: the model measures topic and wording more than truth. A known weakness.", "说法相反，分数却高：模型度量的更多是话题与措辞，而非真假。这是已知弱点。";
    LessonWordOrder: "Same words, other roles: the score hardly notices who chased whom. A known weakness.", "词相同而角色互换：分数几乎分辨不出谁追谁。这是已知弱点。";
    LessonTwoMeanings: "One word in two senses: context pulls the score down, but not all the way to unrelated.", "同一个词两种含义：语境拉低了分数，但未降到无关。";
    LessonSameTopic: "One topic, two messages: related, yet far from identical.", "同一话题，不同内容：相关，但远非相同。";
    LessonUnrelated: "Nothing in common: the score is no higher than between any two sentences.", "毫无关联：分数不高于任意两句之间。";
    Cosine: "Cosine similarity", "余弦相似度";
    CosineWaiting: "The number appears as soon as the model is here.", "模型就绪后将立即显示数值。";
    TypeFirst: "Type a sentence in A.", "请在 A 中输入句子。";
    TypeSecond: "Type a sentence in B.", "请在 B 中输入句子。";
    TypeBoth: "Type two sentences to compare.", "请输入要比较的两个句子。";
    OnlyUnknown: "{which} holds no word that the model knows, so the score means nothing.", "{which} 中没有模型认识的词，分数没有意义。";
    WhatItMeans: "What does this number mean?", "这个数值是什么意思？";
    WhatItMeansBody: "The model turns each sentence into a vector of {hidden} numbers; the cosine says how far two vectors point the same way: 1 is the same direction. It measures how alike topic and wording are, not whether a claim is true.", "模型把每个句子变成 {hidden} 维向量；余弦表示两个向量方向有多一致，1 为同向。它衡量话题与措辞的相似程度，而非说法的真假。";
    UnrelatedAt: "unrelated {value}", "无关 {value}";
    Identical: "identical 1", "相同 1";
    VerdictUnrelated: "No closer than unrelated sentences: 95 % of unrelated pairs score below {high}.", "不比无关句子更接近：95 % 的无关句对低于 {high}。";
    VerdictBetween: "{percent} % of the way from unrelated ({mean}) to identical (1).", "处于从无关（{mean}）到相同（1）的 {percent} %。";
    VerdictBelow: "Further apart than unrelated sentences usually are.", "比无关句子通常的距离还远。";
    BaselineHow: "What counts as unrelated is measured with this very model and readout: {pairs} pairs of {sentences} sentences on different subjects score {mean} on average; the grey band holds 90 % of them.", "“无关”由当前模型与读出方式实测：{sentences} 个不同主题句子的 {pairs} 个句对平均为 {mean}；灰带包含其中 90 %。";
    Readout: "Readout", "读出方式";
    ReadoutHow: "How the token vectors become one sentence vector.", "词元向量如何合成一个句向量。";
    PoolingModel: "Model's own ({pooling})", "模型默认（{pooling}）";
    PoolingMean: "Mean of tokens", "词元平均";
    PoolingCls: "[CLS] token", "[CLS] 词元";
    PoolingFirstLast: "First-last average", "首末层平均";
    Layer: "Layer", "层";
    LayerLast: "Last ({n})", "最后一层（{n}）";
    LayerEmbedding: "0 (embedding)", "0（嵌入层）";
    CutNote: "Longer than the model can read: {kept} of {total} tokens are used, the rest is ignored.", "超出模型可读长度：使用了 {total} 个词元中的 {kept} 个，其余忽略。";
    CutA: "Sentence A: {note}", "句子 A：{note}";
    CutB: "Sentence B: {note}", "句子 B：{note}";
    NotEnglish: "The default model reads English. Words outside its vocabulary become [UNK] or single letters, and scores mean little there.", "默认模型只懂英语。词表之外的词会变成 [UNK] 或单个字符，分数意义不大。";

    // Tokens
    TokensTitle: "Token by token", "逐词元对照";
    TokensHow: "Each cell is the cosine of two token vectors in the chosen layer. Point at a token to see its best partner in the other sentence.", "每格是所选层中两个词元向量的余弦。指向一个词元可看到它在另一句中的最佳对应。";
    TokensWaiting: "The tokens appear together with the number.", "词元将与数值同时出现。";
    TokensOfA: "Tokens of A", "A 的词元";
    TokensOfB: "Tokens of B", "B 的词元";
    TokenPartner: "“{a}” is closest to “{b}” ({value})", "“{a}” 与 “{b}” 最接近（{value}）";
    TokensMany: "Showing the first {shown} of {total} tokens of a sentence.", "仅显示句子 {total} 个词元中的前 {shown} 个。";
    TokenGridWords: "Cosine of {rows} tokens of sentence A with {columns} tokens of sentence B; the highest is {best}.", "句子 A 的 {rows} 个词元与句子 B 的 {columns} 个词元的余弦；最高 {best}。";

    // Many sentences
    ManyTitle: "Many sentences at once", "一次比较多个句子";
    ManyHow: "One sentence a line gives a matrix. Two sentences a line, separated by a tab, or a csv/tsv file give a score for each pair; a third column with gold scores gives the rank correlation.", "每行一句得到矩阵；每行两句（以制表符分隔）或 csv/tsv 文件得到每对的分数；若第三列为标准分，则给出秩相关。";
    ManyLabel: "Sentences or pairs", "句子或句对";
    ManyPlaceholder: "Paste or type here, or drop a file", "在此粘贴或输入，或拖入文件";
    ManyDrop: "Drop to read this file", "松开以读取文件";
    ChooseFile: "Choose a file", "选择文件";
    ExampleTopics: "Four topics", "四个话题";
    ExampleShades: "Shades of one sentence", "一句话的细微变化";
    ExampleScored: "Pairs with gold scores", "带标准分的句对";
    CountSentences: "{n} sentences", "{n} 个句子";
    CountOneSentence: "One sentence. Add a second to compare.", "只有一个句子，请再加一句。";
    CountPairs: "{n} pairs", "{n} 个句对";
    CountScoredPairs: "{n} pairs with gold scores", "{n} 个带标准分的句对";
    CountSkipped: "Rows left out: {n} (no second sentence, or no score where others have one)", "略去 {n} 行：缺少第二句，或缺少其他行都有的分数。";
    CountCut: "{n} sentences were longer than the model reads and were cut.", "{n} 个句子超出模型可读长度，已截断。";
    CancelledAt: "Cancelled at {done} of {total}.", "已在 {done} / {total} 处取消。";
    ComputeAgain: "Compute it again", "重新计算";
    FromFile: "read as a table from {name}", "按表格读自 {name}";
    Working: "{done} of {total}", "{done} / {total}";
    WorkingRate: "{rate} a second, {time} left", "每秒 {rate}，剩余 {time}";
    Cancel: "Cancel", "取消";
    MatrixTitle: "Cosine of every pair", "所有句对的余弦";
    MatrixHow: "Darker is more alike; the palest shade is the unrelated baseline. Select a cell to compare its two sentences above.", "越深越相似；最浅为无关基线。选择一格即可在上方比较这两句。";
    MatrixHowDark: "Brighter is more alike; the darkest shade is the unrelated baseline. Select a cell to compare its two sentences above.", "越亮越相似；最暗为无关基线。选择一格即可在上方比较这两句。";
    MatrixWords: "Cosine matrix, rows {rows}, columns {columns} of {n} sentences; mean of all pairs {mean}.", "余弦矩阵：{n} 个句子中的第 {rows} 行与第 {columns} 列；全部句对均值 {mean}。";
    MatrixRows: "Rows", "行";
    MatrixColumns: "Columns", "列";
    MatrixRange: "{from}–{to} of {n}", "{n} 中的 {from}–{to}";
    Earlier: "Earlier", "向前";
    Later: "Later", "向后";
    NearestTitle: "Nearest pairs", "最近的句对";
    NearestHow: "The {shown} most alike of all {pairs} pairs. Mean cosine {mean}.", "全部 {pairs} 个句对中最相似的 {shown} 个。平均余弦 {mean}。";
    PairsTitle: "Scored pairs", "句对得分";
    PairsHow: "{n} pairs, most alike first.", "{n} 个句对，最相似者在前。";
    AgreementTitle: "Agreement with the gold scores", "与标准分的一致性";
    Spearman: "Spearman", "斯皮尔曼";
    Pearson: "Pearson", "皮尔逊";
    AgreementN: "n = {n} pairs", "n = {n} 个句对";
    AgreementHow: "Spearman compares the order of the cosines with the order of the gold scores: 1 is the same order, 0 none.", "斯皮尔曼比较余弦与标准分的排序：1 表示次序相同，0 表示无关。";
    AgreementNone: "All cosines or all gold scores are equal, so there is no order to compare.", "余弦或标准分全部相等，无法比较次序。";
    GoldAxis: "gold score", "标准分";
    CosineAxis: "cosine", "余弦";
    ScatterWords: "{n} pairs: gold score against cosine, Spearman {spearman}.", "{n} 个句对：标准分与余弦，斯皮尔曼 {spearman}。";
    Gold: "gold {value}", "标准分 {value}";
    PageOf: "{from}–{to} of {n}", "{n} 中的 {from}–{to}";
    CompareThese: "Compare these two above", "在上方比较这两句";

    // Export
    CopyLink: "Copy link", "复制链接";
    CopyLinkHow: "The link holds your sentences after the # sign, which browsers never send to a server.", "链接在 # 之后包含您的句子；浏览器不会把这部分发送给服务器。";
    CopyTable: "Copy table", "复制表格";
    PictureOf: "{title}: save as PNG", "{title}：保存为 PNG";
    TableOf: "{title}: save as CSV", "{title}：保存为 CSV";
    KeysInMap: "Arrow keys move, Home and End go to the row's ends, Enter chooses, Escape clears.", "方向键移动，Home 与 End 到行首行尾，Enter 选择，Esc 清除。";
    ExportCsv: "CSV", "CSV";
    ExportPng: "PNG", "PNG";
    Copied: "Copied.", "已复制。";
    CopiedWithoutList: "Copied a link to the two sentences. With the list it would have {n} characters, more than mail and chat programs keep: share the list as a file.", "已复制两个句子的链接。若包含列表，链接将有 {n} 个字符，邮件与聊天软件无法完整保留：请以文件分享列表。";
    CopyRefused: "The browser did not allow copying. Select the text and copy it by hand, or use CSV.", "浏览器不允许复制。请手动选择复制，或使用 CSV。";
    Exported: "Saved {name}.", "已保存 {name}。";
    ExportFailed: "The file could not be made: {detail}", "文件生成失败：{detail}";
    NotSaved: "This browser does not let the page keep your text (private window, or no space). Copy a link or export before you leave.", "浏览器不允许本页保存您的文字（隐私窗口或空间不足）。离开前请复制链接或导出。";
    FileUnreadable: "{name} could not be read from disk: {detail}. Choose it again.", "无法从磁盘读取 {name}：{detail}。请重新选择。";
    LinkOpened: "A link's sentences are shown. What you had typed is one undo away.", "已显示链接中的句子。撤销即可恢复您之前的输入。";
    StartedOver: "Started over.", "已重新开始。";
    WorkerRestarted: "The computation crashed and was restarted. Your text is safe.", "计算崩溃并已重新启动。您的文字是安全的。";

    // Models
    ModelsTitle: "Models", "模型";
    ModelsHow: "The page brings one model. You can open another BERT sentence encoder from your disk; it stays on your device.", "本页自带一个模型。您也可以从磁盘打开其他 BERT 句编码器；文件不会离开设备。";
    ModelCurrent: "In use", "使用中";
    ModelUseDefault: "Use the page's own model", "使用本页自带模型";
    ModelOpenFile: "Open a .gguf file", "打开 .gguf 文件";
    ModelDrop: "Drop a .gguf file anywhere on this view. F32, F16, Q8_0 and Q4_0 files made by llama.cpp or by our own command line work.", "将 .gguf 文件拖到此视图任意位置。支持 llama.cpp 或我们的命令行生成的 F32、F16、Q8_0、Q4_0 文件。";
    ModelForget: "Delete the stored copy", "删除已存副本";
    ModelCard: "Model card", "模型卡";
    ModelHash: "SHA-256", "SHA-256";
    ModelLicence: "Licence", "许可";
    ModelLicenceUnknown: "not stated in the file", "文件中未注明";
    ModelVocabulary: "Vocabulary", "词表";
    ModelVocabularyValue: "{n} word pieces", "{n} 个词片";
    ModelReadout: "Readout it asks for", "其要求的读出方式";
    ModelPrepared: "Prepared in {ms} ms", "准备用时 {ms} 毫秒";
    ModelPreparing: "Preparation", "准备";
    ModelForVisit: "A model from your disk is used for this visit only; after a reload the page starts with its own.", "来自磁盘的模型仅用于本次访问；重新加载后使用本页自带模型。";

    // Problems: what happened, what to do
    ProblemAbout: "{name}: {problem}", "{name}：{problem}";
    ProblemKept: "The model that was in use stays in use.", "原来的模型继续使用。";
    ProblemNotGguf: "This is not a GGUF file.", "这不是 GGUF 文件。";
    ProblemLooksLike: "It looks like {kind}.", "看起来像 {kind}。";
    RemedyNotGguf: "Choose a file ending in .gguf, or make one with “simcse convert”.", "请选择 .gguf 文件，或用 “simcse convert” 生成。";
    ProblemVersion: "GGUF version {found} is not supported; versions 2 and 3 are.", "不支持 GGUF 第 {found} 版，支持第 2、3 版。";
    RemedyVersion: "Convert the model again with a current tool.", "请用当前工具重新转换模型。";
    ProblemTruncated: "The file ends too early: it needs {needed} MB and has {found} MB.", "文件不完整：需要 {needed} MB，仅有 {found} MB。";
    RemedyAgain: "Download or copy the file again.", "请重新下载或复制该文件。";
    ProblemDamaged: "The file is damaged: {what}.", "文件已损坏：{what}。";
    ProblemAbsurd: "The file's header is not believable: {what} is {found}, and at most {limit} makes sense.", "文件头不可信：{what} 为 {found}，合理上限为 {limit}。";
    ProblemArchitecture: "This model's architecture is “{found}”. This page runs BERT encoders.", "该模型的架构为 “{found}”，本页运行 BERT 编码器。";
    RemedyArchitecture: "Choose a BERT sentence encoder, such as all-MiniLM, bge, gte or e5.", "请选择 BERT 句编码器，例如 all-MiniLM、bge、gte 或 e5。";
    ProblemMissing: "The tensor {name} is missing.", "缺少张量 {name}。";
    ProblemShape: "The tensor {name} has shape {found} where {expected} was expected.", "张量 {name} 的形状为 {found}，应为 {expected}。";
    ProblemType: "The tensor {name} is stored as {found}, which this page cannot read.", "张量 {name} 以 {found} 存储，本页无法读取。";
    RemedyType: "Quantise the model to Q8_0, Q4_0 or F16.", "请将模型量化为 Q8_0、Q4_0 或 F16。";
    ProblemNotFinite: "The tensor {name} holds values that are not numbers.", "张量 {name} 含有非数值。";
    ProblemTokeniser: "The model's tokeniser cannot be used: {detail}.", "模型的分词器无法使用：{detail}。";
    RemedyTokeniser: "Convert the model again together with its tokenizer.json.", "请连同 tokenizer.json 重新转换模型。";
    ProblemMemory: "There is not enough memory: {mb} MB are needed.", "内存不足：需要 {mb} MB。";
    RemedyMemory: "Close other tabs, or choose a smaller model or a stronger quantisation.", "请关闭其他标签页，或选择更小或量化更强的模型。";
    ProblemLayer: "Layer {found} does not exist; this model has {layers}.", "第 {found} 层不存在；该模型共 {layers} 层。";
    RemedyLayer: "Choose another layer.", "请选择其他层。";
    ProblemNetwork: "The download broke at {done} of {total} MB: {detail}.", "下载在 {done} / {total} MB 处中断：{detail}。";
    RemedyNetwork: "Check the connection and resume; what has arrived is kept.", "请检查网络后继续；已到达的部分会保留。";
    ProblemHash: "What arrived is not the file that was promised (its SHA-256 differs), twice.", "两次收到的文件都与预期不符（SHA-256 不同）。";
    RemedyHash: "Try again later. If it persists, the site's files are inconsistent.", "请稍后重试；若持续出现，则站点文件不一致。";
    ProblemNoModel: "No model is loaded.", "尚未加载模型。";
    RemedyNoModel: "Load the page's own model or open one from disk.", "请加载自带模型或从磁盘打开。";
    ProblemNoBackend: "The backend {name} is not part of this build.", "此版本不含后端 {name}。";
    RemedyNoBackend: "Use the CPU.", "请使用 CPU。";
    ProblemInternal: "Something went wrong inside: {detail}.", "内部错误：{detail}。";
    RemedyInternal: "Reload the page; your text is kept. If it happens again, please report it with these words.", "请重新加载页面；您的文字会保留。若再次发生，请附上此信息报告。";
    ProblemListCrashed: "The computation crashed twice on this list, so it is not tried again.", "计算在此列表上崩溃两次，不再重试。";
    RemedyListCrashed: "Shorten the list, or change it and it is tried again.", "请缩短列表；修改后会再次尝试。";
    ProblemListLong: "That is {found}; Compare takes up to {limit}.", "共 {found}；“比较”最多支持 {limit}。";
    RemedyListLong: "Shorten the list. For large corpora the command line has “simcse embed”.", "请缩短列表。大型语料可用命令行 “simcse embed”。";
    ProblemFileEncoding: "{name} is not UTF-8 text (first bad byte at {position}).", "{name} 不是 UTF-8 文本（首个错误字节在 {position}）。";
    RemedyFileEncoding: "Save it as “CSV UTF-8” or as UTF-8 text and drop it again.", "请另存为 “CSV UTF-8” 或 UTF-8 文本后重新拖入。";
    ProblemFileBinary: "{name} holds binary data, not text.", "{name} 含二进制数据，不是文本。";
    RemedyFileBinary: "Export the sheet as csv or tsv and drop that.", "请将表格导出为 csv 或 tsv 后拖入。";
    ProblemFileTable: "{name} is not a readable table (line {line}): {detail}", "{name} 不是可读的表格（第 {line} 行）：{detail}";
    RemedyFileTable: "Check the quotes in that line.", "请检查该行的引号。";
    ProblemFileLarge: "{name} has {mb} MB; files up to {limit} MB can be read here.", "{name} 有 {mb} MB；此处最多可读 {limit} MB。";
    YourTextStays: "Your list stays as it was.", "您的列表保持不变。";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Text;
    use crate::catalogue::language::Language;

    fn places(text: &str) -> BTreeSet<&str> {
        text.split('{')
            .skip(1)
            .filter_map(|part| part.split_once('}'))
            .map(|(name, _)| name)
            .collect()
    }

    #[test]
    fn both_languages_have_the_same_places() {
        for &text in Text::ALL {
            let [english, chinese] =
                Language::ALL.map(|language| places(text.in_language(language)));
            assert_eq!(english, chinese, "{text:?}");
        }
    }

    #[test]
    fn chinese_texts_are_chinese() {
        let same_in_both = [
            "BackendCpu",
            "BackendWebGpu",
            "ExportCsv",
            "ExportPng",
            "ModelHash",
            "StatusReady",
            "StatusReadyUntimed",
            "ProblemAbout",
            "Working",
        ];
        for &text in Text::ALL {
            let chinese = text.in_language(Language::Chinese);
            let has_han = chinese.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
            assert!(
                has_han || same_in_both.contains(&format!("{text:?}").as_str()),
                "{text:?}: {chinese}"
            );
        }
    }
}
