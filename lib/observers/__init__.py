"""From trials to observers: PSE, slope and sensitivity of each person and network.

``tables`` makes table ``psychometrics``, ``networks`` reads log-odds, ``decisions`` turns them into
choices, ``population`` is what people have in common, ``multiverse`` what an analyst's choices do.
"""
