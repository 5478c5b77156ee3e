#!/bin/sh
# Braces of a shell and of Jinja are text here: ${HOME} {{ not.ours }} {% raw %}
echo "database at DB_HOST:DB_PORT" > /etc/motd
