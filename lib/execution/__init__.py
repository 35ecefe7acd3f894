"""One notebook after another, without a screen.

``stages`` says what each leaves behind and what is still current, ``notebooks`` executes one with
papermill, ``manifest`` says what a run was made from.
"""
