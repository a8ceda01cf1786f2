"""What tests, benchmarks and load tests share: processes and ports, the machine, a worker without sockets, comments."""
