"""A lab: several real Debian hosts on one machine, for trying Stead, rehearsing a change, and testing.

A host is a systemd-nspawn container over a shared base tree, in a network namespace of its own. The library decides
names, addresses and the order of things; it never touches what does not carry the lab's name. `Lab` in
`stead.lab.lifecycle` is the way in; `stead lab` is its command line.
"""
