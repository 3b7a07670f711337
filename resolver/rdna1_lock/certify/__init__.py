"""The sweep and its certificate: ``run`` executes, ``proof`` judges and signs, ``show`` presents."""
