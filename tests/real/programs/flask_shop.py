"""The shop of `make demo`, with a witness."""

import shop
import witness

witness.start()
shop.main()
