"""The words that titles and descriptions are made of."""

THINGS = {
    "music": ("Rain on a Tin Roof", "Slow Blue Hour", "Paper Boats", "Seven Streets Home", "Static & Honey"),
    "gaming": ("the Drowned Keep", "a one-heart run", "the hidden level", "Frost Valley", "the last boss"),
    "cooking": ("braised aubergine", "sourdough", "fish soup", "dumplings", "a proper omelette", "plum cake"),
    "news": ("the ferry strike", "the new budget", "the flood warning", "the tram line", "the local vote"),
    "science": ("black holes", "tides", "why ice floats", "the smell of rain", "prime numbers", "moss"),
    "technology": ("a €20 keyboard", "self-hosting", "the quietest fan", "e-ink", "old laptops", "CSV files"),
    "travel": ("the night train", "Lofoten", "the Mekong", "a village of 40 people", "the old road", "Kraków"),
    "sport": ("the derby", "matchday 12", "the penalty", "a 1-0 that felt like 5-0", "the comeback"),
    "comedy": ("my landlord", "airports", "the group chat", "parents & printers", "a very small dog"),
    "crafts": ("a walnut stool", "raku glaze", "darning", "a bird house", "hand-cut joints", "a leather wallet"),
    "animals": ("three kittens", "a rescued hedgehog", "the goose", "an old dog", "garden birds"),
    "children": ("The Red Tractor", "Counting Ducks", "Goodnight, Moonbeam", "The Rainbow Bus", "Hop, Frog, Hop!"),
}
ENGLISH = (
    "I tried {thing} for 30 days",
    "{thing}, explained in {number} minutes",
    "{thing} – live (full set)",
    'What nobody tells you about "{thing}"',
    "{thing}: part {number}",
    "{number} mistakes everyone makes with {thing}",
    "{thing} | the whole story, start to finish",
    "Why {thing}? Why now?",
    "How {thing} REALLY works {emoji}",
    "{thing} (and {number} others), ranked",
)
# By language and category, for channels that do not speak English.
OTHERS = {
    ("vi", "cooking"): (
        "Món ngon cuối tuần, số {number}",
        "Nấu phở trong {number} phút",
        "Bếp nhỏ, tập {number} {emoji}",
    ),
    ("vi", "travel"): (
        "Một ngày ở phố cổ, tập {number}",
        "{number} góc phố bạn chưa biết",
        "Đi chợ nổi lúc 5 giờ sáng {emoji}",
    ),
    ("ja", "animals"): ("猫と散歩する朝 #{number}", "静かな路地、{number}匹の猫", "雨の日の猫たち {emoji}"),
    ("ja", "gaming"): (
        "【実況】はじめての夜更かし その{number}",
        "隠しステージに{number}回挑戦",
        "最後のボス、{number}時間耐久",
    ),
    ("es", "cooking"): (
        "La receta de mi abuela, n.º {number}",
        "Tortilla en {number} minutos",
        "¡Sin horno! Plato n.º {number} {emoji}",
    ),
    ("es", "technology"): (
        "¿Vale la pena? Probamos {number} teclados",
        "El error n.º {number}: «funciona en mi máquina»",
        "Café, código y {number} pruebas",
    ),
    ("es", "sport"): (
        "Fecha {number}: lo mejor, en diez minutos",
        "El gol del minuto {number}",
        "Tribuna, mate y {number} penales {emoji}",
    ),
    ("ru", "technology"): (
        "Разбираем за {number} минут",
        "«Почему так?» — выпуск {number}",
        "{number} строк кода, и всё работает",
    ),
    ("ru", "news"): (
        "Главное за день, выпуск {number}",
        "Итоги недели: {number} событий",
        "Прямой эфир, {number}-й час",
    ),
    ("de", "travel"): (
        "{number} Tage unterwegs – ein Tagebuch",
        "Straße, Zug, Fähre: Folge {number}",
        "Über {number} Brücken nach Süden",
    ),
    ("de", "sport"): (
        "Das Spiel in {number} Minuten",
        "Spieltag {number}: die Kurve hört nicht auf",
        "Anpfiff! Folge {number} {emoji}",
    ),
    ("ar", "cooking"): ("وصفة سهلة في {number} دقيقة", "طبق اليوم رقم {number} {emoji}", "{number} أسرار من مطبخ جدتي"),
    ("ar", "music"): ("أغنية المساء رقم {number}", "عود ومطر، {number} دقيقة", "جلسة حية، الجزء {number} {emoji}"),
    ("hi", "travel"): ("{number} दिन पहाड़ों में", "बर्फ़ीली सड़क, भाग {number}", "{number} किलोमीटर, एक ही बस {emoji}"),
    ("hi", "comedy"): (
        "मामा की कहानी, भाग {number}",
        "ऐसा पहले कभी नहीं देखा, नंबर {number}",
        "शादी में {number} मेहमान {emoji}",
    ),
    ("ko", "music"): (
        "공부할 때 듣는 음악 {number}분",
        "비 오는 밤, 로파이 #{number}",
        "새벽 {number}분 플레이리스트 {emoji}",
    ),
    ("ko", "animals"): (
        "우리 집 강아지의 하루 #{number}",
        "산책 {number}분, 눈 오는 날",
        "강아지가 웃는 이유 {number}가지",
    ),
    ("pt", "comedy"): (
        "{number} coisas que só acontecem aqui",
        "Meu vizinho, parte {number}",
        "Ri até chorar, n.º {number} {emoji}",
    ),
    ("pt", "music"): (
        "Ao vivo no sótão, faixa {number}",
        "Violão, chuva e {number} vizinhos",
        "Roda de samba n.º {number} {emoji}",
    ),
    ("fr", "cooking"): (
        "La recette du dimanche, n° {number}",
        "Le pain en {number} gestes",
        "On a testé {number} farines, « sans filtre »",
    ),
    ("fr", "news"): (
        "L’essentiel à midi : {number} minutes",
        "Le débat n° {number}, « sans filtre »",
        "Grève, budget, météo : {number} questions",
    ),
}
LINES = (
    "Thanks for watching! New videos every week, comments are open.",
    "Filmed on location; music by the channel. Questions, ideas, corrections: write below.",
    'Chapters:\n00:00 Intro\n01:40 "The plan"\n07:15 What went wrong, and why\n11:02 Results',
    "Join us, it's free; a word to a friend helps more than anything.\n\n#{tag} #new",
    "Sources, parts list and transcript are on our page.",
    "Recorded in one take, so there may be a cat in it.",
)
