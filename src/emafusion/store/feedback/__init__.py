"""What people said of answers: clients by the API, labellers by hand, auditors at random."""
