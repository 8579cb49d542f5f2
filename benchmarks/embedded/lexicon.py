"""Names, facts and sentences that the generated tasks are made of."""

from __future__ import annotations

PRAISE = (
    "The staff were kind and the room was spotless",
    "Best pizza I have had in years",
    "It arrived a day early and works perfectly",
    "I laughed from the first minute to the last",
    "The battery easily lasts two days",
    "Such a comfortable chair, my back thanks me",
    "Our guide was funny and knew everything",
    "Crisp picture and simple to set up",
)

BLAME = (
    "The zip broke on the second day",
    "We waited an hour and the food was cold",
    "It smells of plastic and hurts my feet",
    "I fell asleep halfway through, what a dull plot",
    "Support never answered my emails",
    "The screen flickers and the buttons stick",
    "Noisy street, dirty towels, rude reception",
    "A waste of money, it does not even turn on",
)

CAPITALS = {
    "France": "Paris",
    "Italy": "Rome",
    "Spain": "Madrid",
    "Germany": "Berlin",
    "Japan": "Tokyo",
    "Egypt": "Cairo",
    "Kenya": "Nairobi",
    "Canada": "Ottawa",
    "Australia": "Canberra",
    "Norway": "Oslo",
    "Portugal": "Lisbon",
    "Greece": "Athens",
    "Peru": "Lima",
    "Cuba": "Havana",
    "Poland": "Warsaw",
    "Austria": "Vienna",
    "Hungary": "Budapest",
    "Ireland": "Dublin",
    "Finland": "Helsinki",
    "Sweden": "Stockholm",
    "Denmark": "Copenhagen",
    "Thailand": "Bangkok",
    "Chile": "Santiago",
    "Argentina": "Buenos Aires",
    "Russia": "Moscow",
    "China": "Beijing",
    "South Korea": "Seoul",
    "Iran": "Tehran",
    "Iraq": "Baghdad",
    "Turkey": "Ankara",
    "Bulgaria": "Sofia",
    "Romania": "Bucharest",
    "Ukraine": "Kyiv",
    "Nepal": "Kathmandu",
    "Vietnam": "Hanoi",
    "Ghana": "Accra",
}

FACTS = (
    ("a spider has eight legs", True),
    ("the sun rises in the west", False),
    ("water boils when it is heated enough", True),
    ("a kilometre is shorter than a metre", False),
    ("penguins can fly across oceans", False),
    ("honey is made by bees", True),
    ("a week has nine days", False),
    ("gold is a metal", True),
    ("bananas grow underground", False),
    ("the moon goes round the earth", True),
    ("a square has four corners", True),
    ("whales breathe air", True),
    ("snow is warmer than steam", False),
    ("Africa is a continent", True),
    ("an adult elephant is lighter than a cat", False),
    ("the Pacific is an ocean", True),
    ("humans have three eyes", False),
    ("iron floats on water", False),
    ("paper can burn", True),
    ("most birds lay eggs", True),
)

NAMES = ("Ada", "Ben", "Carla", "Dmitri", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas")

TOWNS = ("Lyon", "Porto", "Graz", "Bergen", "Turin", "Ghent", "Malaga", "Leeds")

JOBS = ("baker", "nurse", "pilot", "teacher", "welder", "gardener")

WORDS = ("table", "garden", "silver", "window", "planet", "bridge", "candle", "rocket", "butter")

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

HEAVY = ("a feather", "a mouse", "a cat", "a goat", "a horse", "an elephant", "a whale")

GROUPS = {
    "fruit": ("apple", "banana", "cherry", "mango"),
    "animal": ("dog", "horse", "tiger", "rabbit"),
    "tool": ("hammer", "saw", "screwdriver", "drill"),
    "colour": ("red", "green", "purple", "yellow"),
    "instrument": ("violin", "piano", "trumpet", "flute"),
}
