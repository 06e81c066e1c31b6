"""社内紹介 and お客様紹介: a lead passed on, followed and rewarded."""
