"""What a person may ask for besides the beat: a round now, the proof, adoption, a second try for the parked."""
