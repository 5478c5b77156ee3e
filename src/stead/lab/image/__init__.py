"""Guest images for labs and tests, made from the lab's own packages: `tiny` boots in seconds without KVM, `debian` is
a Debian 12 with the real cloud-init. Both are bootable qcow2 disks. `build` caches them by what they are made of.
"""
