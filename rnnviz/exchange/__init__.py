"""Models as files: our own, Keras' and PyTorch's, in and out. No training, no pages.

Files of strangers are read in a child process alone (sandbox.py), which turns them into our own
kind; nothing in them can name code to run. Only build.py, torch_files.py and child.py load torch.
"""
