//! Texts of the map in the geometry view.

use crate::catalogue::words::words;

words! {
    MapText;

    Title: "Map", "地图";
    How: "Every point is a sentence; neighbours on the map are meant to be alike. Its two directions mean nothing by themselves. Drag to move, scroll or pinch to zoom once you have clicked the map, Shift and drag (or L) to select with a lasso, click a point for its true neighbours.", "每个点是一个句子；地图上相邻的点应当相似。两个方向本身没有含义。拖动可平移；点击地图后可滚动或双指缩放；按住 Shift 拖动（或按 L）用套索选择；点击一个点可查看其真正的近邻。";
    MapLabel: "Map of the sentences", "句子地图";
    Keys: "Arrow keys move, plus and minus zoom, 0 shows everything, L begins a lasso, Escape clears. The lists beside the map hold what is found and selected.", "方向键平移，加减号缩放，0 显示全部，L 开始套索，Esc 清除。地图旁的列表给出查找和选择的结果。";
    Words: "{n} sentences as points, {look}, by {method}. {groups}", "{n} 个句子作为点，{look}，方法为 {method}。{groups}";
    WordsGroups: "The largest of {n} groups: {names}.", "{n} 组中最大的：{names}。";
    Waiting: "The map is made as soon as the sentences are measured.", "句子测量完成后即制作地图。";

    // Making
    Method: "Method", "方法";
    PcaHow: "The two straight axes along which the vectors vary most. Nothing is torn, but what lies apart in the other directions lies over each other here.", "向量变化最大的两个直线轴。不会撕裂结构，但在其他方向上相距很远的点在此可能重叠。";
    TsneHow: "Keeps each sentence beside its nearest ones and lets the rest go: trust the groups, not their sizes nor the gaps between them (van der Maaten & Hinton 2008).", "让每个句子留在其最近邻旁边，其余则不顾：可以相信分组，但不要相信组的大小和组间距离（van der Maaten 与 Hinton，2008）。";
    UmapHow: "Keeps neighbours, as t-SNE does, and packs them tighter; somewhat more of the whole survives, yet gaps still say little (McInnes et al. 2018).", "与 t-SNE 一样保留近邻，并聚得更紧；整体结构保留得稍多，但间隔仍说明不了什么（McInnes 等，2018）。";
    Perplexity: "Perplexity", "困惑度";
    PerplexityHow: "About so many neighbours each sentence holds on to. Few: small islands; many: one smooth whole.", "每个句子大约抓住多少个近邻。少则成小岛，多则成平滑的整体。";
    Steps: "Steps", "步数";
    StepsHow: "How long the points move. More lets them settle.", "点移动多久。越多越能稳定下来。";
    Neighbours: "Neighbours", "近邻数";
    NeighboursHow: "How many nearest sentences each one is tied to. Few: fine detail; many: the broad shape.", "每个句子与多少个最近的句子相连。少则见细节，多则见大形。";
    LeastDistance: "Least distance", "最小距离";
    LeastDistanceHow: "How close points may come. Small: tight heaps; large: an even spread.", "点可以靠得多近。小则紧密成团，大则均匀铺开。";
    Epochs: "Epochs", "轮数";
    EpochsHow: "How long the points move. Empty: 500, or 200 of more than 10,000 sentences.", "点移动多久。留空：500，超过 10,000 句时为 200。";
    Usual: "usual", "默认";
    Seed: "Seed", "随机种子";
    SeedHow: "Where chance begins. What looks different with another seed is not in the data.", "随机的起点。换一个种子就变样的东西，并不在数据之中。";
    NewSeed: "Another seed", "换一个种子";
    Parameters: "Parameters", "参数";
    Fitted: "With {n} sentences at most {value} is possible, and used.", "{n} 个句子最多允许 {value}，已采用该值。";

    // On the way
    StageNeighbours: "{plot}: looking for neighbours, {done} of {total} sentences", "{plot}：寻找近邻，{total} 句中的 {done} 句";
    StageMoving: "{plot}: moving the points, step {done} of {total}", "{plot}：移动各点，第 {done} 步，共 {total} 步";
    StageJudging: "{plot}: judging the map, {done} of {total} sentences", "{plot}：评估地图，{total} 句中的 {done} 句";
    Left: "{words} · {left} left", "{words} · 还剩 {left}";
    Stop: "Stop", "停止";
    Stopped: "{plot}: stopped.", "{plot}：已停止。";
    Resume: "Make the map", "制作地图";
    Again: "Try again", "重试";
    OldMap: "{plot}: this map is of what was chosen before.", "{plot}：这是之前所选内容的地图。";

    // How far it can be believed
    Explained: "{plot}: the axis to the right holds {x} %, the one upwards {y} % of the variance.", "{plot}：向右的轴占方差的 {x}%，向上的轴占 {y}%。";
    Trust: "{plot}: trustworthiness {value} of 1, over {k} neighbours of {n} sentences.", "{plot}：可信度 {value}（满分 1），取 {n} 句的 {k} 个近邻。";
    TrustHow: "At 1 all neighbours on the map are neighbours in the vectors; a random map has about 0.5 (Venna & Kaski 2001).", "为 1 时，地图上的近邻在向量中也都是近邻；随机地图约为 0.5（Venna 与 Kaski，2001）。";
    Warned: "{plot}: {n} {n:point is|points are} ringed, for more than half of {n:its|their} neighbours here are false.", "{plot}：有 {n} 个点加了圈，因为此处它们的近邻过半是假的。";
    Warnings: "Ring points whose neighbours are false", "给近邻不可靠的点加圈";
    Laid: "B is turned{scaled} so that its sentences lie as near as may be to their places in A.", "B 经过旋转{scaled}，使其句子尽可能靠近在 A 中的位置。";
    LaidScaled: " and scaled", "与缩放";

    // A and B
    Slider: "Between A and B", "在 A 与 B 之间";
    PlayToB: "Move to B", "移到 B";
    PlayToA: "Move to A", "移到 A";
    ShownBetween: "{share} % of the way from A to B", "从 A 到 B 的 {share}%";

    // Colours
    Colour: "Colour", "颜色";
    ColourPlain: "A or B", "A 或 B";
    ColourTopic: "topic", "主题";
    ColourCluster: "cluster", "聚类";
    ColourQuery: "likeness to the query", "与查询的相似度";
    ClusterCount: "Clusters", "聚类数";
    ClusterCountHow: "Groups of sentences that lie together (spherical k-means), each named by the sentence nearest to its middle.", "聚在一起的句子组（球面 k 均值），每组以最靠近其中心的句子命名。";
    SelectGroup: "Select all {n} of “{name}”", "选择“{name}”的全部 {n} 句";
    OtherGroups: "{n} more {n:group|groups}, in one grey: eight colours are what eyes tell apart.", "另有 {n} 组，共用灰色：肉眼只能分辨八种颜色。";
    NoTopic: "without a topic", "无主题";
    RampLow: "{cosine}: as unrelated sentences", "{cosine}：如同无关的句子";
    RampHigh: "1: the same", "1：相同";
    ClustersComing: "Looking for clusters…", "正在聚类…";

    // The query
    QueryLabel: "Find on the map", "在地图上查找";
    QueryPlaceholder: "a sentence or a few words", "一个句子或几个词";
    QueryTitle: "Nearest to “{text}”", "与“{text}”最相近的";
    QueryHow: "By cosine, in the vectors of {plot}. The mark lies among the five nearest, nearer to the more alike.", "按余弦，在 {plot} 的向量中。标记位于五个最近邻之间，靠近更相似者。";

    // Neighbours
    NearTitle: "Neighbours of “{text}”", "“{text}”的近邻";
    NearHow: "By cosine, in the vectors of {plot}, not on the map.", "按余弦，在 {plot} 的向量中，而非地图上。";
    NearComing: "Looking for its neighbours…", "正在寻找近邻…";
    Unpin: "Close", "关闭";

    // The selection
    SelectionTitle: "{n} {n:sentence|sentences} selected", "已选 {n} 句";
    SelectionNone: "Nothing is selected. Draw a lasso around points, or choose a group; Shift adds to what is selected.", "尚未选择。用套索圈住一些点，或选择一组；按住 Shift 可追加。";
    SelectionMore: "Show {n} more", "再显示 {n} 句";
    SelectionCopy: "Copy", "复制";
    SelectionClear: "Clear", "清除";
    ListLabel: "Sentences selected", "已选的句子";

    // Tools
    ZoomIn: "Nearer", "放大";
    ZoomOut: "Farther", "缩小";
    ZoomFit: "Show everything", "显示全部";
    Lasso: "Lasso", "套索";
    Hub: "the hub: {n} sentences name it among their nearest {k}", "枢纽：有 {n} 句把它列入最近的 {k} 句";
    HubRing: "The plain ring, in the colour of the text, is the hub: “{text}” is among the nearest {k} of {n} sentences.", "与文字同色的圈是枢纽：“{text}”位列 {n} 个句子的最近 {k} 句之中。";
    FalseShare: "{share} % of its neighbours on the map are false", "其在地图上的近邻有 {share}% 是假的";
    CaptionMap: "Shown: {shown}. {n} sentences, {method}, seed {seed}. A: {a}. B: {b}.", "所示：{shown}。{n} 个句子，{method}，种子 {seed}。A：{a}。B：{b}。";
}
