"""The report that somebody prints or hands on: what it holds, its pictures and figures, as HTML and as PDF."""
