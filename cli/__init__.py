"""The command line: parse, call, print.

One file a command, imported when it is called; `options` makes the options of the configuration from its sections and
plug-ins, `messages` turns names of arguments in errors into what was typed.

What may be added: a command, in a file of its own and a line in `main.COMMANDS`. Nothing is computed here.
"""
