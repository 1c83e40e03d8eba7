"""How a simulated user is instructed, what it sees of the conversation, and what it may say.

`prompt` writes its instructions, `role_reversal` turns the conversation round so that the model finds itself in the
user's place, `spoken_line` cuts what a person would not have sent, and `faults` notices when it stops being one.
"""
