"""What the command line says, in Japanese and English."""

from __future__ import annotations

from typing import Final

WORDS: Final = {
    "step.read": ("ファイルを読んでいます", "reading the file"),
    "step.clean": ("整えています", "cleaning"),
    "step.write": ("保存しています", "writing"),
    "step.lines": ("受注明細を整理しています", "netting order lines"),
    "step.families": ("商品群を調べています", "finding families"),
    "step.features": ("お客様ごとにまとめています", "summing up customers"),
    "step.potential": ("拡大余地を見積もっています", "estimating potential"),
    "step.map": ("顧客マップを描いています", "drawing the map"),
    "step.gaps": ("提案もれを探しています", "looking for gaps"),
    "step.pairs": ("一緒に売れる商品を数えています", "counting pairs"),
    "step.recommend": ("提案を選んでいます", "choosing offers"),
    "step.plan": ("計画を立てています", "planning"),
    "step.publish": ("公開しています", "publishing"),
    "step.backtest": ("過去のデータで試しています", "backtesting"),
    "step.match": ("同じお客様を探しています", "matching names"),
    "step.projection": ("画面を整えています", "bringing the pages in step"),
    "step.simulate.customers": ("お客様を作っています(架空)", "making customers (fictional)"),
    "step.simulate.orders": ("受注を作っています(架空)", "making orders (fictional)"),
    "step.simulate.dealings": ("接点や把握情報を作っています(架空)", "making touches and facts (fictional)"),
    "simulate.done": ("架空の会社を作りました: {name} → {path}", "made a fictional company: {name} → {path}"),
    "import.done": ("取り込みました", "imported"),
    "import.dry": ("取り込むとこうなります(まだ保存していません)", "what an import would do (nothing is saved)"),
    "import.table": ("表", "table"),
    "import.new": ("新規", "new"),
    "import.updated": ("更新", "updated"),
    "import.unchanged": ("変更なし", "unchanged"),
    "import.removed": ("削除", "removed"),
    "import.rejected": ("取り込めなかった行: {n}件 → {path}", "rejected rows: {n} → {path}"),
    "import.rejected_dry": (
        "取り込めない行: {n}件。最初の理由: {why}",
        "rows to be rejected: {n}. The first reason: {why}",
    ),
    "import.left_out": ("対象外として除いた行: {n}件", "rows left out on purpose: {n}"),
    "import.overtaken": (
        "訂正と違う値が取り込まれました({table_name} {row_key} {column_name}): "
        "訂正 {value}、今回 {now}。訂正を使います",
        "an import differs from a correction ({table_name} {row_key} {column_name}): corrected to {value}, now {now}; "
        "the correction stands",
    ),
    "import.undo": ("取り消すには: nobishiro undo {id}", "to take it back: nobishiro undo {id}"),
    "import.columns": ("列の読み方", "how columns were read"),
    "import.guess": ("読み方", "read as"),
    "undo.done": ("取り消しました: {id}", "undone: {id}"),
    "undo.kept": (
        "後の取込で変わったため残した行: {n}件 ({table})",
        "kept because a later import changed them: {n} ({table})",
    ),
    "undo.none": ("取り消せる取込はありません", "there is no import to undo"),
    "run.done": ("計算しました(基準日 {day} の前日まで): 実行 {id}", "computed (everything before {day}): run {id}"),
    "wrote": ("書き出しました: {path}({n}件)", "wrote {path} ({n} rows)"),
    "unwritable": (
        "{encoding}に入らない文字が{n}か所あります",
        "{n} cells hold characters that {encoding} cannot",
    ),
    "unwritable.cell": ("  {line}行目 {column}: {value}  [{what}]", "  line {line} {column}: {value}  [{what}]"),
    "tune.chosen": ("選ばれた設定: {name}", "chosen: {name}"),
    "tune.popular": (
        "人気順より上位10件の的中(NDCG)が {ratio:.2f} 倍です({n}人・{cuts}時点)。",
        "NDCG@10 is {ratio:.2f} times that of popularity ({n} customers, {cuts} days to look from).",
    ),
    "serving": ("レポートを開いてください: {url}  (終わるには Ctrl+C)", "open the report: {url}  (Ctrl+C to stop)"),
    "demo.made": ("架空の会社があります: {name} → {path}", "the fictional company is there: {name} → {path}"),
    "demo.ready": (
        "開いてください: {url}  (ほかの会社は裏で準備しています。終わるには Ctrl+C)",
        "open {url}  (the other companies are being made meanwhile; Ctrl+C to stop)",
    ),
    "match.found": (
        "同じお客様と判断して統合: {certain}組。人の確認が要る候補: {ambiguous}組",
        "merged as certainly the same: {certain}; for a person to decide: {ambiguous}",
    ),
    "match.file": ("候補と根拠: {path}", "candidates and evidence: {path}"),
    "serve.ready": ("開いてください: {url}  (終わるには Ctrl+C)", "open {url}  (Ctrl+C to stop)"),
    "serve.hosts": (
        "この機械の名前を NOBISHIRO_HOSTS に入れてください(例: sales.example.jp)。それまでは localhost だけで開けます",
        "put this machine's names into NOBISHIRO_HOSTS, such as sales.example.jp; until then only localhost works",
    ),
    "serve.worker": ("作業を受け付けています  (終わるには Ctrl+C)", "doing jobs  (Ctrl+C to stop)"),
    "serve.first_link": (
        "はじめに、次のリンクで管理者の登録をしてください(1回だけ使えます。24時間有効): {link}",
        "first make the administrator's account by this link (it works once, for 24 hours): {link}",
    ),
    "backup.done": (
        "バックアップを作りました: {path}({size})。表 {tables}、行 {rows}",
        "backup written: {path} ({size}), {tables} tables with {rows} rows",
    ),
    "restore.done": (
        "復元しました: {path}。表 {tables}、行 {rows} を確認しました。起動するには: nobishiro serve -w {path}",
        "restored into {path}; {tables} tables with {rows} rows checked. To start it: nobishiro serve -w {path}",
    ),
    "invite.link": (
        "{email} さんにこのリンクを渡してください(1回だけ使えます。7日間有効): {link}",
        "give this link to {email} (it works once, for seven days): {link}",
    ),
    "invite.password": (
        "{email} さんのアカウントはすでにあります。パスワードを決め直すリンクです(1回だけ使えます。7日間有効): {link}",
        "{email} has an account already; by this link they set a new password (it works once, for seven days): {link}",
    ),
    "first_map": ("顧客マップ: {path}", "customer map: {path}"),
}  # fmt: skip


def say(key: str, language: str, **values: object) -> str:
    """One text in `language`, its gaps filled."""
    return WORDS[key][0 if language == "ja" else 1].format(**values)
