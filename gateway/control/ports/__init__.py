"""What control needs of its neighbours, what the admin API takes and gives, and how it refuses."""
