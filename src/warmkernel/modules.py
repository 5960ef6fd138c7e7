"""What every template of kernels loads: the kernel, and what it imports while it starts."""

PRELOAD = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "matplotlib_inline",
    "psutil",
    "tornado.platform.asyncio",
    "xmlrpc.server",
)
