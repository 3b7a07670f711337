from importlib import import_module

from lightning_steps import train

train(lambda: import_module("pytorch_lightning"))
