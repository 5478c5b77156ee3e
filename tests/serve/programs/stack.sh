#!/bin/sh
set-password "PASSWORD"
