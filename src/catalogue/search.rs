//! Texts of the Search view.

use crate::catalogue::words::words;

words! {
    SearchText;

    Title: "Search", "搜索";
    Lead: "Find passages by what they mean, as you type. The corpus is read, embedded and searched in this tab, and stays on this device.", "输入的同时，按含义查找段落。语料在此标签页内读取、嵌入和搜索，始终留在本设备上。";

    // Corpora
    Corpora: "Corpora", "语料";
    Add: "Add a corpus", "添加语料";
    AddHow: "Text, Markdown, CSV, TSV, JSON or JSON lines; up to 512 MB. Drop a file anywhere here, or paste.", "支持文本、Markdown、CSV、TSV、JSON 或 JSON 行，最大 512 MB。可把文件拖到此处任意位置，或直接粘贴。";
    PasteLabel: "Text to search", "要搜索的文本";
    PasteRead: "Read this text", "读取此文本";
    Drop: "Drop a file to search it", "拖入文件以搜索";
    CorpusFacts: "{n} {n:passage|passages} · {size} MB here", "{n} 个段落 · 占用 {size} MB";
    CorpusLoose: "The browser keeps nothing for this page now: this corpus goes when the tab is closed.", "浏览器目前不为本页保留数据：关闭标签页后此语料将消失。";
    CorpusPartly: "The browser's storage is full or refused: what is embedded from now on goes with the tab. What was kept before stays.", "浏览器存储已满或被拒绝：此后嵌入的内容将随标签页消失，之前保存的仍会保留。";
    Usage: "{used} of {quota} MB of the browser's storage in use", "浏览器存储已用 {used} MB，共 {quota} MB";
    Rename: "Rename", "重命名";
    NewName: "New name", "新名称";
    Delete: "Delete", "删除";
    DeleteSure: "Delete “{name}” with all its vectors?", "删除“{name}”及其全部向量？";
    DeleteYes: "Delete it", "确认删除";
    DeleteNo: "Keep it", "保留";
    NoCorpus: "There is no corpus yet. Drop a file here, or paste a text.", "尚无语料。请拖入文件或粘贴文本。";

    // A draft
    DraftTitle: "What was read", "读取结果";
    Reading: "Reading {done} of {total} MB", "正在读取 {done} / {total} MB";
    DraftFacts: "{form}, {encoding}: {rows} {rows:row|rows} give {n} {n:passage|passages}, {size} MB of text", "{form}，{encoding}：{rows} 行，得到 {n} 个段落，共 {size} MB 文本";
    DraftRepeated: "{n} {n:passage is|passages are} said more than once", "{n} 个段落重复出现";
    DraftSkipped: "{n} {n:row|rows} without text left out", "略去 {n} 行无文本的行";
    DraftTime: "Embedding takes about {time} here", "在此设备上嵌入约需 {time}";
    DraftName: "Name", "名称";
    DraftColumn: "Text is in", "文本所在列";
    DraftCut: "A passage is", "段落为";
    CutRows: "a line or row", "一行";
    CutSentences: "a sentence", "一个句子";
    CutShort: "some sentences, up to 40 words", "若干句子，至多 40 词";
    CutLong: "some sentences, up to 120 words", "若干句子，至多 120 词";
    DropRepeated: "Keep repeated passages once", "重复段落只保留一次";
    FirstPassages: "It begins:", "开头：";
    Keep: "Embed and search", "嵌入并搜索";
    Cancel: "Cancel", "取消";
    Close: "Close", "关闭";

    // Indexing
    Indexing: "{done} of {total} embedded", "已嵌入 {done} / {total}";
    IndexingRate: "{rate} a second · {time} left", "每秒 {rate} 个 · 剩余 {time}";
    Resumed: "{n} were there from before", "其中 {n} 个此前已有";
    Pause: "Pause", "暂停";
    Resume: "Go on", "继续";
    PausedAt: "Paused: {done} of {total} are embedded and can be found.", "已暂停：{done} / {total} 已嵌入，可供查找。";
    Anew: "“{name}” was embedded with other weights or another readout. To search it with what is on show now, all {n} {n:passage|passages} have to be embedded again{time}. The old vectors stay.", "“{name}”是用其他权重或读出方式嵌入的。要用当前设置搜索，需重新嵌入全部 {n} 个段落{time}。旧向量会保留。";
    AnewTime: ", about {time}", "，约需 {time}";
    EmbedAnew: "Embed again", "重新嵌入";
    EmbedOther: "Embed it on the other side of the adapter, too, to see how rankings move", "在适配器的另一侧也嵌入，以观察排序变化";
    NoModel: "Waiting for the model.", "正在等待模型。";
    Complete: "All {n} {n:passage is|passages are} embedded", "全部 {n} 个段落已嵌入";

    // The query
    QueryLabel: "What are you looking for?", "您在找什么？";
    QueryHow: "Say it in your own words. Key / comes here, arrows walk through the hits.", "用您自己的话描述。按 / 键跳到此处，方向键在结果间移动。";
    Clear: "Clear", "清除";
    RankBy: "Rank by", "排序方式";
    ByMeaning: "meaning", "含义";
    ByBoth: "meaning and keywords", "含义与关键词";
    ByKeywords: "keywords", "关键词";
    Beside: "Keywords beside it", "并列显示关键词结果";
    Count: "Hits", "结果数";
    Least: "At least", "至少";
    LeastNone: "any cosine", "任意余弦";
    PartLike: "like: {label}", "类似：{label}";
    PartUnlike: "unlike: {label}", "不同于：{label}";
    Remove: "Remove", "移除";
    AddLike: "+ also like…", "＋ 也类似…";
    AddUnlike: "− unlike…", "－ 不同于…";
    PartText: "Words to add", "要加入的文字";
    PartAdd: "Add", "添加";

    // Filters
    Filters: "Filters", "筛选";
    FiltersClear: "No filters", "清除筛选";
    FilterContains: "contains", "包含";
    FilterFrom: "from", "从";
    FilterTo: "to", "到";
    FilterMore: "and {n} more: type a word of it below", "还有 {n} 个：可在下方输入文字筛选";

    // Hits
    HitsTitle: "Found", "结果";
    MeaningTitle: "By meaning", "按含义";
    KeywordsTitle: "By keywords", "按关键词";
    HitsFacts: "{n} {n:hit|hits} of {searched} searched", "在 {searched} 个已搜索段落中得到 {n} 个结果";
    HitsPartly: "{n} {n:hit|hits}; {searched} of {all} are embedded so far", "{n} 个结果；目前已嵌入 {searched} / {all}";
    HitsAbove: "{n} above the limit", "{n} 个超过阈值";
    HitsTime: "{embed} ms to read the query, {rank} ms to rank", "读取查询 {embed} 毫秒，排序 {rank} 毫秒";
    HitsCut: "The query is longer than the model reads; its beginning counts.", "查询超出模型可读长度，仅开头部分有效。";
    HitsNone: "Nothing is found. Loosen the limit or the filters, or use other words.", "没有结果。请放宽阈值或筛选条件，或换个说法。";
    HitsFailed: "The search did not work.", "搜索未能完成。";
    MoreLike: "More like this", "更多类似";
    LessLike: "Less like this", "更少类似";
    Copy: "Copy", "复制";
    Context: "Context", "上下文";
    BarWords: "cosine {cosine}; unrelated sentences score about {unrelated}", "余弦 {cosine}；无关句子约为 {unrelated}";
    BarPlain: "cosine {cosine}", "余弦 {cosine}";
    MovedUp: "up from {rank} {side}", "较{side}的第 {rank} 位上升";
    MovedDown: "down from {rank} {side}", "较{side}的第 {rank} 位下降";
    MovedNot: "as {side}", "与{side}相同";
    NotEmbedded: "not embedded yet", "尚未嵌入";
    Working: "Searching…", "正在搜索…";

    // Browsing
    BrowseTitle: "All passages", "全部段落";
    BrowseFacts: "{from} to {to} of {total}", "第 {from} 至 {to} 个，共 {total} 个";
    BrowseBack: "Back", "上一页";
    BrowseOn: "On", "下一页";

    // Taking along
    Take: "Take it along", "导出";
    SaveCsv: "Hits as CSV", "结果存为 CSV";
    SaveJson: "Hits as JSON", "结果存为 JSON";
    SaveNpy: "Vectors as npy", "向量存为 npy";
    SaveParquet: "Passages and vectors as Parquet", "段落与向量存为 Parquet";
    SaveJsonLines: "Passages and vectors as JSON lines", "段落与向量存为 JSON 行";
    ToGeometry: "Look at it in Geometry", "在“几何”中查看";
    ToCompare: "Compare its passages", "在“比较”中比较段落";
    ToFineTune: "Fine-tune on it", "用于“微调”";
    Sending: "On its way…", "正在准备…";
}
