"""Takedowns (停止传输、消除), their copies and traces."""
