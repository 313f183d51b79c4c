select day, station, warmest, coldest, rain
from weather.weather_days
