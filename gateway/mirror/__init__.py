"""The mirror: the static version (静态版信息内容) of every bullet, made from the journal alone (law 6)."""
