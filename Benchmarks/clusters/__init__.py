"""What benchmarks of whole clusters share: ours and Ray's, started and ended with the benchmark."""
