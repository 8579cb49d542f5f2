"""What seed prompts are made of: topics of each domain, sentences, snippets of code, openers."""

from __future__ import annotations

from collections.abc import Mapping

TOPICS: Mapping[str, tuple[str, ...]] = {
    "biology": (
        "photosynthesis", "the cell membrane", "natural selection", "mitochondria",
        "DNA replication", "pollination by bees", "coral reefs", "the food web of a forest",
        "bird migration", "gene expression", "fungi", "enzymes",
    ),
    "business": (
        "a pricing strategy for a new product", "quarterly sales", "customer churn",
        "supply chain delays", "a marketing campaign", "a small bakery", "the onboarding of staff",
        "annual budget planning", "a meeting with investors", "an invoice", "brand loyalty",
        "project management",
    ),
    "chemistry": (
        "the periodic table", "acids and bases", "covalent bonds", "reaction rates", "catalysts",
        "oxidation and reduction", "polymers", "titration", "molar mass", "crystals",
        "organic solvents", "electrolysis",
    ),
    "computing": (
        "a REST API", "a web server", "unit tests", "a Python package", "database indexes",
        "a Linux shell script", "a React component", "memory leaks", "git branches",
        "a sorting algorithm", "Kubernetes deployments", "a login form", "regular expressions",
    ),
    "economics": (
        "inflation", "interest rates", "supply and demand", "the labour market", "monopolies",
        "exchange rates", "a carbon tax", "national debt", "free trade", "game theory in auctions",
        "housing prices", "central banks",
    ),
    "engineering": (
        "a suspension bridge", "a heat exchanger", "an electric motor", "a steel beam",
        "a water pump", "a wind turbine", "signal filters", "a control loop", "battery packs",
        "concrete mixtures", "a gearbox", "solar panels",
    ),
    "health": (
        "high blood pressure", "a balanced diet", "vaccines", "sleep problems", "type 2 diabetes",
        "back pain", "first aid for burns", "anxiety before exams", "a running plan",
        "vitamin deficiency", "allergies", "stroke symptoms",
    ),
    "history": (
        "the fall of the Roman Empire", "the French Revolution", "the Silk Road", "the Cold War",
        "the Industrial Revolution", "ancient Egypt", "the Black Death", "the moon landing",
        "the invention of printing", "the Ottoman Empire", "the civil rights movement", "Vikings",
    ),
    "law": (
        "a rental contract", "copyright", "a non-disclosure agreement", "data protection rules",
        "employment law", "the right to remain silent", "a will", "liability for damages",
        "consumer rights", "a patent claim", "freedom of speech", "traffic fines",
    ),
    "mathematics": (
        "prime numbers", "the Pythagorean theorem", "a quadratic equation", "probability of dice",
        "derivatives", "matrices", "integrals", "geometric series", "logarithms", "set theory",
        "combinatorics", "percentages",
    ),
    "general": (
        "a trip to Lisbon", "my neighbour's dog", "a birthday party", "learning the guitar",
        "a rainy weekend", "moving to a new flat", "cooking pasta", "a football match",
        "a film about robots", "house plants", "a letter to a friend", "board games",
        "travelling with children", "autumn",
    ),
    "philosophy": (
        "free will", "the trolley problem", "Plato's cave", "utilitarianism", "consciousness",
        "the meaning of life", "moral relativism", "Kant's categorical imperative", "stoicism",
        "personal identity", "scepticism", "existentialism",
    ),
    "physics": (
        "black holes", "Newton's laws", "the speed of light", "quantum entanglement",
        "electric fields", "friction", "heat transfer", "radioactive decay", "sound waves",
        "gravity on the moon", "magnetism", "the pendulum",
    ),
    "psychology": (
        "short-term memory", "procrastination", "attachment in childhood", "peer pressure",
        "motivation at work", "cognitive biases", "fear of failure", "group behaviour", "habits",
        "conditioning", "self-esteem", "decision making",
    ),
}  # fmt: skip

SENTENCES = (
    "In {year} a team of {n} people began to look into {topic}.",
    "Most readers have heard of {topic}, yet few know how it came about.",
    "{name} from {place} wrote a report on {topic} that ran to {n} pages.",
    "The cost rose by {n} percent between {year} and the year after.",
    "According to {name}, the subject of {topic} is often misunderstood.",
    "A meeting was held in {place} on {n} March, and {name} took the minutes.",
    "Critics say that too little was done; others point to what has been achieved.",
    "The results were published in {year} and discussed in {place}.",
    "{name} can be reached at the office in {place} until the end of the week.",
    "There is still no agreement on what {topic} means for ordinary people.",
    "Order {n} was sent to {place} but arrived late and damaged.",
    "I bought it in {place} and it broke after {n} days, which is a shame.",
    "We loved every minute and would go back to {place} at once.",
)
NAMES = ("Amina Diallo", "John Carter", "Mei Tanaka", "Lucia Romero", "Piotr Nowak", "Sara Lind")
PLACES = ("Nairobi", "Oslo", "Lima", "Boston", "Kyoto", "Turin", "Warsaw", "Perth")

SNIPPETS = (
    "def total(items):\n    s = 0\n    for i in range(len(items)):\n        s = items[i]\n    return s",
    "for (let i = 0; i <= list.length; i++) {\n  console.log(list[i].name);\n}",
    ("class Stack:\n    def __init__(self):\n        self.items = []\n    def pop(self):\n"
    "        return self.items[0]"),
    "SELECT name, COUNT(*) FROM orders WHERE date > '2024-01-01'",
    'int main() {\n    int *p;\n    *p = 5;\n    printf("%d\\n", *p);\n    return 0;\n}',
    "async function load(url) {\n  const r = fetch(url);\n  return r.json();\n}",
    "import pandas as pd\ndf = pd.read_csv('sales.csv')\nprint(df.groupby('region').mean()['amount'])",
    'fn main() {\n    let s = String::from("a");\n    let t = s;\n    println!("{}", s);\n}',
    ('Traceback (most recent call last):\n  File "app.py", line 12, in <module>\n'
    "    print(rows[3])\nIndexError: list index out of range"),
)  # fmt: skip

CODE_THINGS = (
    "reads a CSV file and prints the mean of each column",
    "checks whether a string is a palindrome",
    "finds the longest common prefix of a list of strings",
    "merges two sorted linked lists", "downloads a page and counts its links",
    "implements an LRU cache", "parses a date in several formats",
    "sorts a list of dictionaries by a key", "computes Fibonacci numbers with memoisation",
    "validates an email address", "draws a bar chart of sales by month",
    "resizes all images in a folder", "retries a request with exponential backoff",
    "removes duplicates while keeping the order", "converts Roman numerals to integers",
)  # fmt: skip
LANGUAGES = (
    "Python", "JavaScript", "TypeScript", "Go", "Rust", "Java", "C++", "bash", "Ruby", "C#",
)  # fmt: skip
TONGUES = ("French", "Spanish", "German", "Japanese", "Arabic", "Portuguese", "Hindi", "Polish")
TABLES = ("orders", "customers", "employees", "products", "invoices", "visits")
COLUMNS = ("date", "amount", "region", "name", "status", "category", "age", "email")
POLITE = ("", "", "", "Please ", "Can you ", "Could you please ", "I need you to ", "Hey, ", "Hi! ")
