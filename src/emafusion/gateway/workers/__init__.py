"""Several processes that answer behind one port: started, watched, restarted, told what changes.

sockets.py     one listening socket for each, all on the same address
control.py     what parent and workers say to each other, a line each
supervisor.py  the parent's side
"""
