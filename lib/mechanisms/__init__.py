"""What notebook 05 finds inside networks, and its verdict on claim C4.

``results`` finds it all, ``survey`` asks one network, ``lesions`` and ``representations`` look at
layers, ``truths`` says what was put in, ``claim`` judges, ``findings`` puts it into words.
"""
