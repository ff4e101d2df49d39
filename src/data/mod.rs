//! Images and labels from files: IDX, NPY, CIFAR binary, each also gzipped, told apart by content.
