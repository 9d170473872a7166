"""Agora Cloud Recording as a server that anybody can run: the same calls, codes, files and notifications, warts included."""
