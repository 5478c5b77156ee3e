"""How pages look: one sheet for all, light or dark as the reader's browser is. Nothing is fetched."""

from __future__ import annotations

LIGHT = (
    "--fg:#16191d;--bg:#fff;--dim:#626b76;--line:#e1e5ea;--add:#12813f;--chg:#9a6700;"
    "--del:#c4232f;--card:#f8f9fb;--bar:#3b7dd8;--full:#c4232f"
)
DARK = (
    "--fg:#e8ebee;--bg:#0f1215;--dim:#9aa4af;--line:#2a3038;--add:#4cc26b;"
    "--chg:#d9a93a;--del:#ff7078;--card:#161a1f;--bar:#5b9bf0;--full:#ff7078"
)
STYLE = (
    f"""
:root{{color-scheme:light dark;{LIGHT};--mono:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}}
@media (prefers-color-scheme:dark){{:root{{{DARK}}}}}
"""
    """*{box-sizing:border-box}
body{font:14px/1.55 system-ui,sans-serif;color:var(--fg);background:var(--bg);max-width:1160px;margin:2.5em auto;
padding:0 1.5em}
h1{font-size:1.7em;line-height:1.2;margin:0 0 .4em}
h2{font-size:1.15em;margin:2.2em 0 .8em;padding-bottom:.35em;border-bottom:1px solid var(--line)}
p{margin:.3em 0}.head{font-size:1.1em;font-weight:600}
.entry{background:var(--card);border:1px solid var(--line);border-left:4px solid var(--chg);border-radius:8px;
margin:.6em 0;padding:.55em .95em}
.create{border-left-color:var(--add)}.destroy,.replace,.rebuild{border-left-color:var(--del)}
.forget,.adopt,.register,.accept{border-left-color:var(--bar)}
.title{display:flex;flex-wrap:wrap;gap:.2em .6em;align-items:baseline}
.sign{font:600 1em var(--mono);color:var(--chg);min-width:1em}.create .sign{color:var(--add)}
.destroy .sign,.replace .sign,.rebuild .sign{color:var(--del)}
.name{font:600 .97em var(--mono)}.dim{color:var(--dim)}.small{font-size:.92em}.loss{color:var(--del);font-weight:600}
.at{margin-left:auto;font:.85em var(--mono);color:var(--dim)}
.tag{border-radius:9px;border:1px solid currentColor;padding:0 .55em;font-size:.85em;color:var(--chg)}
.tag.bad{color:var(--del)}
table{border-collapse:collapse;margin:.4em 0}td,th{padding:.2em 1.1em .2em 0;vertical-align:top;text-align:left}
th{font-weight:600;color:var(--dim);font-size:.92em}
.fields td,.members td{font:.92em/1.5 var(--mono)}.members td{color:var(--dim)}
.n{text-align:right;font-variant-numeric:tabular-nums}
.old{color:var(--del)}.new{color:var(--add)}pre{margin:.2em 0;overflow:auto;font-family:var(--mono)}
.draw{overflow:auto;border:1px solid var(--line);border-radius:8px;padding:.25em;background:var(--card)}
svg{max-width:none;display:block}
.wide{width:100%}.wide td,.wide th{border-bottom:1px solid var(--line);padding:.45em 1.1em .45em 0}
.wide tr:last-child td{border-bottom:0}
.bar{display:inline-block;width:9em;height:.55em;border-radius:.3em;background:var(--line);overflow:hidden;
vertical-align:baseline;margin-right:.6em}.bar i{display:block;height:100%;background:var(--bar)}
.bar.full i{background:var(--full)}
@media print{body{max-width:none;margin:0}.entry{break-inside:avoid}}
"""
)


def beginning(title: str) -> str:
    """`title` is HTML already."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        f"<title>{title}</title><style>{STYLE}</style></head><body>"
    )


ENDING = "</body></html>\n"
