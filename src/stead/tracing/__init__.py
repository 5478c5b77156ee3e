"""Follows one packet through what wants say: who sends it on, who refuses it, and whether the answer comes back.

Pure. It knows no kind: what packets meet, kinds say in words of `core.wiring`.
"""
