"""The attention experiment of notebook 03: which block, where, and with whose help.

``points`` says which settings are compared, ``grid`` trains them, ``arms`` judges what each does,
``guidance`` draws a block to what people use, ``selection`` chooses by what people answered.
"""
