"""What people are told of their hosts: how full they are, what is wrong with them. Pure; `observe` asks the hosts."""
