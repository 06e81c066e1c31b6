"""実行状況, 計画 and 今週のまとめ: whether what was agreed is really done."""
