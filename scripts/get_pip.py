"""Stands in for get-pip.py, which `ansible-test` would download: pip comes from ensurepip, the rest from PyPI."""

import ensurepip
import os
import runpy
import sys

wanted = [word for word in sys.argv[1:] if not word.startswith("-")]
ensurepip.bootstrap(default_pip=True)
os.environ.pop("PIP_CONFIG_FILE", None)  # ensurepip turns the user's settings off, a mirror or certificate say
sys.argv = ["pip", "install", "--disable-pip-version-check", "--quiet", *wanted]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
