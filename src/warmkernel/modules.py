"""What every template of kernels loads: the kernel itself."""

PRELOAD = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "IPython",
    "matplotlib_inline",
)
