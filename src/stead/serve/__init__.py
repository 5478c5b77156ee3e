"""An API that OpenStack's own clients speak. It keeps nothing of its own: a request edits the document of a project.

`app` takes requests to handlers by tables of routes, one table a service; a handler is thin over pure functions that
edit a document (`edits`) or read the world (`world`). `cloud` plans before it answers; `worker` applies.
"""
