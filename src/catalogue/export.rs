//! Texts about taking work along: vectors as files, sessions, links.

use crate::catalogue::words::words;

words! {
    ExportText;

    Title: "Take it along", "带走结果";
    Vectors: "Vectors as a file", "将向量存为文件";
    VectorsHow: "Unit vectors of all sentences, treated as the look says, with sentences and topics where the format has room for them. Everything is written on this device.", "全部句子的单位向量，按所选方式处理；格式允许时附上句子与主题。文件完全在本机生成。";
    Which: "Of", "取自";
    Format: "Format", "格式";
    FormatNpy: "NumPy array (.npy), vectors alone", "NumPy 数组（.npy），仅向量";
    FormatParquet: "Parquet, for DuckDB, pandas, Polars", "Parquet，适用于 DuckDB、pandas、Polars";
    FormatCsv: "CSV, for spreadsheets", "CSV，适用于电子表格";
    FormatJsonLines: "JSON lines", "JSON 行";
    FormatProjectorVectors: "TensorFlow Projector, first file: vectors", "TensorFlow Projector，第一个文件：向量";
    FormatProjectorMetadata: "TensorFlow Projector, second file: sentences", "TensorFlow Projector，第二个文件：句子";
    Save: "Save the file", "保存文件";
    Measuring: "Waiting for the sentences to be measured.", "等待句子测量完成。";
    Asked: "The vectors are on their way.", "正在取得向量。";
    Writing: "Writing: {done} of {total} parts", "正在写入：第 {done} / {total} 部分";
    Stopped: "Stopped before the vectors were there.", "取得向量前已停止。";

    Session: "Session", "会话";
    SessionHow: "One file with sentences, settings and the adapter in use. It opens here or on another machine as it is now.", "一个文件，包含句子、设置和正在使用的适配器。可在本机或其他设备上按现状打开。";
    SessionSave: "Save session", "保存会话";
    SessionOpen: "Open session", "打开会话";
    SessionSaving: "The adapter is on its way into the file.", "正在把适配器写入文件。";
    SessionNoAdapter: "The session was not saved: its adapter did not arrive ({detail}). Try again.", "会话未保存：适配器未能取得（{detail}）。请重试。";
    SessionNone: "“{name}” is no session of this page. What you have here stays. Sentences are opened further up.", "“{name}”不是本页的会话文件。现有内容保持不变。句子文件请在上方打开。";
    SessionLater: "“{name}” was saved by a later version of this page. Reload the page, then open it again.", "“{name}”由本页的更新版本保存。请重新加载页面后再打开。";
    SessionDamaged: "“{name}” is a session, but damaged: {detail}. What you have here stays.", "“{name}”是会话文件，但已损坏：{detail}。现有内容保持不变。";
    SessionOtherModel: "This session was saved with the model {name}. Here another one is in use, so the numbers differ.", "该会话是用模型 {name} 保存的。当前使用的是另一个模型，因此数值会不同。";
    CopyLink: "Copy link to these settings", "复制当前设置的链接";
    LinkHow: "The link has both looks and the bundled corpus, but none of your own sentences.", "链接包含两种观察方式和自带语料，不含您自己的句子。";
}
