//! Texts of the geometry view.

use crate::catalogue::words::words;

words! {
    GeometryText;

    Title: "Geometry", "几何";
    Lead: "Every sentence becomes a point on a sphere of many dimensions. See how the points lie: in a narrow cone, or spread out; and what an adapter, a readout, a layer or whitening changes.", "每个句子都成为高维球面上的一个点。看这些点如何分布：挤在狭窄的锥体里，还是铺展开来；以及适配器、读出方式、层或白化会带来什么变化。";

    // The corpus
    CorpusTitle: "Sentences", "句子";
    CorpusHow: "One sentence a line, or a table: a column of topics colours the map; a second sentence that means the same, with or without a score, gives an alignment. Files: text, CSV, TSV, JSON lines.", "每行一句，或一张表：主题列用于给地图着色；另一列同义句（可带分数）用于计算对齐性。可用文件：文本、CSV、TSV、JSON 行。";
    CorpusLabel: "Sentences to look at", "要观察的句子";
    CorpusDrop: "Drop a file with sentences", "拖入句子文件";
    BundledPairs: "Pairs with scores", "带分数的句对";
    BundledEveryday: "Everyday sentences", "日常句子";
    BundledSenses: "Words of several meanings", "多义词";
    BundledQuestions: "What people ask for", "各类提问";
    BundledStories: "Short news", "短新闻";
    BundledPairsHow: "Written for this page. Pairs that people would call alike or not: they give alignment, Spearman and the bands of gold scores.", "为本页编写的英文句对，有相似与不相似之分：由此得到对齐性、Spearman 与分数段图。";
    BundledEverydayHow: "Written for this page. Unrelated everyday sentences: how narrow is the cone?", "为本页编写的互不相关的英文日常句子：锥体有多窄？";
    BundledSensesHow: "Written for this page. Words such as bank and bat in all their meanings: does the map tell them apart?", "为本页编写的英文句子，如 bank、bat 等词的各种含义：地图能把它们分开吗？";
    BundledQuestionsHow: "Written for this page. What people ask at a desk, in many words: do wishes of one kind lie together?", "为本页编写的英文提问，说法各异：同类的诉求会聚在一起吗？";
    BundledStoriesHow: "Written for this page. News of twelve fields, in mixed styles: which fields are neighbours?", "为本页编写的英文短新闻，十二个领域，文风各异：哪些领域彼此相邻？";
    CorpusOwn: "Your own sentences", "您自己的句子";
    CorpusComing: "“{name}” is on its way.", "“{name}”正在加载。";
    CorpusMissing: "“{name}” did not arrive: {detail}. Your sentences stay.", "“{name}”未能加载：{detail}。原有句子保持不变。";
    CorpusLong: "{megabytes} MB of text: too long for a box, but all of it is read. More than 2 MB do not survive a reload: save a session. It begins:", "文本有 {megabytes} MB：过长，无法放进输入框，但会全部读取。超过 2 MB 的文本在重新加载后不会保留，请保存会话。开头如下：";
    CorpusEmpty: "Empty it", "清空";
    TakeCompare: "Take the list of Compare", "采用“比较”中的列表";
    TakeFineTune: "Take the sentences of Fine-tune", "采用“微调”中的句子";
    ColumnsLabel: "What the columns are", "各列的含义";
    ColumnSentence: "Sentence", "句子";
    ColumnPartner: "Means the same", "同义句";
    ColumnScore: "Score", "分数";
    ColumnTopic: "Topic", "主题";
    ColumnNone: "none", "无";
    ColumnName: "column {n}: {name}", "第 {n} 列：{name}";
    UndoText: "Bring back the text before", "恢复之前的文本";
    FactSentences: "{n} different {n:sentence|sentences}", "{n} 个不同的句子";
    FactFile: "from {name}", "来自 {name}";
    FactTopics: "{n} {n:topic|topics}", "{n} 个主题";
    FactPositives: "{n} {n:pair that means|pairs that mean} the same", "{n} 对同义句";
    FactRepeated: "{n} repeated, counted once", "{n} 个重复，只计一次";
    FactSkipped: "{n} {n:row|rows} left out: a sentence or its score is missing", "略去 {n} 行：缺少句子或分数";
    FactSample: "{n} of {found} are measured, evenly chosen", "从 {found} 个中均匀选取 {n} 个进行测量";
    TooFew: "Two different sentences are the least that has a geometry. Paste some above, or take a bundled collection.", "至少要有两个不同的句子才谈得上几何。请在上方粘贴，或选用自带的句子。";

    // The two looks
    LookA: "A", "A（甲）";
    LookB: "B", "B（乙）";
    Weights: "Weights", "权重";
    Readout: "Readout", "读出";
    Layer: "Layer", "层";
    LayerLast: "last ({n})", "最后一层（{n}）";
    LayerEmbedding: "embedding", "嵌入层";
    Treatment: "Vectors", "向量";
    AsTheyAre: "as they are", "原样";
    Centred: "centred", "中心化";
    AllButTheTop: "centred, top {n} removed", "中心化并去掉前 {n} 个方向";
    Whitened: "whitened", "白化";
    WhitenedTo: "whitened to {n} directions", "白化到 {n} 个方向";
    Hold: "Hold", "固定";
    Release: "Release", "解除固定";
    HoldHow: "Keep this picture as it is while another model is opened under Models: so two models, or two quantisations of one, stand side by side.", "在“模型”中打开另一个模型时保持此图不变：这样便可并排比较两个模型，或同一模型的两种量化。";
    HeldNote: "Held as {model} gave it. Open another model under Models, and only the other picture follows.", "保持为 {model} 的结果。在“模型”中打开另一个模型后，只有另一幅图会随之变化。";
    Swap: "Swap A and B", "交换 A 与 B";
    NoAdapter: "There is no “after” yet: no adapter is in use. Choose one under Models, train one, or look at the weights before.", "还没有“之后”：未使用适配器。可在“模型”中选择，自行训练，或改看之前的权重。";
    GoToModels: "Go to Models", "前往“模型”";
    Measuring: "{done} of {total} sentences", "{total} 句中的 {done} 句";
    MeasuringLeft: "{done} of {total} sentences · {left} left", "{total} 句中的 {done} 句 · 还剩 {left}";
    Stop: "Stop", "停止";
    Stopped: "Stopped before it was measured.", "测量前已停止。";
    Resume: "Measure", "测量";
    Again: "Try again", "重试";
    Waiting: "Measured as soon as the model is here.", "模型就绪后即开始测量。";
    SphereHow: "The first three principal axes of {n}, which hold {share} % of their length. Every point is a sentence, pushed out to the surface; B is turned so that its points lie near their places in A. Drag, or use the arrow keys.", "{n} 的前三个主轴，占其长度的 {share}%。每个点是一个句子，并被推到球面上；B 经过旋转，使各点靠近其在 A 中的位置。可拖动，或用方向键。";
    WhitenedHow: "Whitened on these very sentences (Su et al. 2021), keeping the first {n} directions: a quarter as many as sentences, for fewer rows say too little of more.", "在这些句子自身上白化（Su 等，2021），保留前 {n} 个方向：为句子数的四分之一，因为行数太少不足以说明更多方向。";
    SphereWords: "{n} sentences on a sphere. Mean cosine {mean}, uniformity {uniformity}.", "球面上的 {n} 个句子。平均余弦 {mean}，均匀性 {uniformity}。";

    // The numbers
    NumbersTitle: "Measures", "度量";
    Measure: "Measure", "度量";
    HowToRead: "How to read it", "如何解读";
    Alignment: "Alignment", "对齐性";
    AlignmentHow: "Mean squared distance of {n} {n:pair that means|pairs that mean} the same. Lower is better; 0 means each pair is one point.", "{n} 对同义句的平均平方距离。越低越好；0 表示每对重合。";
    AlignmentNone: "Needs pairs that mean the same.", "需要同义句对。";
    Uniformity: "Uniformity", "均匀性";
    UniformityHow: "Logarithm of the mean of exp(−2 × squared distance) over all {n} pairs. Lower is better; vectors at right angles to each other give −4.", "所有 {n} 个句对 exp(−2 × 平方距离) 均值的对数。越低越好；两两垂直的向量为 −4。";
    UniformitySampled: "Logarithm of the mean of exp(−2 × squared distance), estimated from {n} random pairs; ± holds with 95 % confidence. Lower is better; vectors at right angles give −4.", "exp(−2 × 平方距离) 均值的对数，由 {n} 个随机句对估计；± 为 95% 置信范围。越低越好；两两垂直的向量为 −4。";
    MeanCosine: "Mean cosine", "平均余弦";
    MeanCosineHow: "Over all pairs; ± is the 95 % interval, were these sentences a sample of many. 0 is isotropic, 1 a single direction: the anisotropy of Ethayarajh (2019), a disputed measure.", "对全部句对；若把这些句子看作样本，± 为 95% 置信区间。0 为各向同性，1 为同一方向：即 Ethayarajh（2019）的各向异性，这一度量有争议。";
    Spearman: "Spearman × 100", "斯皮尔曼相关 × 100";
    SpearmanHow: "Do cosines rank the {n} scored pairs as people did? Higher is better; 100 is the same order.", "余弦对 {n} 个打分句对的排序是否与人一致？越高越好；100 表示顺序完全相同。";
    EffectiveRank: "Effective rank", "有效秩";
    EffectiveRankHow: "How many directions are used: exp of the entropy of the singular values (Roy & Vetterli 2007). At most the number of sentences, and of axes: {a} in A, {b} in B.", "实际使用了多少个方向：奇异值之熵的指数（Roy 与 Vetterli，2007）。不超过句子数，也不超过轴数：A 为 {a}，B 为 {b}。";
    IsoScore: "IsoScore", "IsoScore 各向同性分";
    IsoScoreHow: "How evenly the variance fills all directions (Rudman et al. 2022): 1 is perfectly even, 0 a single direction.", "方差在各方向上分布的均匀程度（Rudman 等，2022）：1 为完全均匀，0 为只有一个方向。";
    IsoScoreNone: "Needs more sentences than a vector has numbers: with fewer, some directions cannot vary at all.", "句子数须多于向量维数：否则有些方向根本无从变化。";
    TopShare: "Share of the first component", "首主成分占比";
    TopShareHow: "Of the variance around the mean. Large where one direction dominates.", "占围绕均值的方差的比例。某一方向主导时较大。";
    Hubness: "Hubness", "枢纽性";
    HubnessHow: "Skewness of how often a sentence is among the {n} nearest of others (Radovanović et al. 2010); 0 is even. Named most often: A {a}, B {b}.", "某句进入他句前 {n} 近邻次数的偏度（Radovanović 等，2010）；0 表示均匀。最常被点名：A {a}，B {b}。";
    HubnessNone: "Needs more than twenty sentences: of fewer, everybody is among everybody’s ten nearest.", "需要二十句以上：更少时，每句都在他句的前十近邻之中。";
    ThreeAxes: "Share of three axes", "三轴占比";
    ThreeAxesHow: "How much of the squared length lies on the first three axes. A cone has most of it there.", "平方长度中有多少落在前三个轴上。锥体的大部分都在其中。";

    // Figures
    LayersTitle: "Through the layers", "逐层变化";
    LayersHow: "How the cone grows and opens from the embedding layer (0) to the last (Ethayarajh 2019): solid [CLS], dashed mean; amber before, teal after. [CLS] begins as the same for every sentence, and gathers what is said only in the last layers.", "从嵌入层（0）到最后一层，锥体如何收窄又张开（Ethayarajh，2019）：实线为 [CLS]，虚线为均值；琥珀色为之前，青色为之后。[CLS] 起初对每个句子都一样，到最后几层才汇集句意。";
    LayersMeasure: "Measure all layers", "测量所有层";
    LayersCaption: "{n} sentences, as they are, unit length.", "{n} 个句子，原样，单位长度。";
    LayerAxis: "layer", "层";
    BandsTitle: "Cosines by gold score", "按人工分数看余弦";
    BandsHow: "A row for each band of scores, amber A, teal B; a tick marks each mean. Rows that people scored higher should lie farther right, and overlap little (SimCSE, figure G.1).", "每行为一个分数段，琥珀色为 A，青色为 B；短竖线为均值。人工分数越高的行应越靠右，且重叠越少（SimCSE 图 G.1）。";
    BandName: "{from} to {to} ({n} {n:pair|pairs})", "{from} 至 {to}（{n} 对）";
    BandsWords: "Mean cosine by band of scores, from high to low. {rows}.", "各分数段的平均余弦，由高到低。{rows}。";
    BandWords: "{band}: A {a}, B {b}", "{band}：A 为 {a}，B 为 {b}";
    HistogramTitle: "Cosines of all pairs", "所有句对的余弦";
    HistogramHow: "Left is unrelated, right is alike. A cone stands far to the right.", "左边无关，右边相似。锥体的分布偏右。";
    SpectrumTitle: "Singular values", "奇异值";
    SpectrumHow: "Divided by the largest. A cone falls at once, a sphere falls slowly.", "除以最大值。锥体骤降，球面缓降。";
    MeanLabel: "{plot}: mean {mean}", "{plot}：均值 {mean}";
    SpectrumWords: "Singular values divided by the largest. The tenth of A is {a}, of B {b}.", "除以最大值的奇异值。第十个：A 为 {a}，B 为 {b}。";
    Caption: "A: {a}. B: {b}. {n} sentences.", "A：{a}。B：{b}。{n} 个句子。";
}
